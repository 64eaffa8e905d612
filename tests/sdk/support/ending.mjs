// What a test has started ends with it, the last thing first: nothing may miss what it stands on.
export function ending(t) {
  const ends = [];
  t.after(async () => {
    const failures = [];
    for (const end of ends.reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  });
  return (end) => ends.push(end);
}
