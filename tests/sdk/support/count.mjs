// A reporter that says how many tests passed and failed, and nothing else.
export default async function* count(source) {
  let [passed, failed] = [0, 0];
  for await (const { type, data } of source) {
    if (data?.details?.type === "suite" || data?.skip !== undefined) continue;
    if (type === "test:pass") passed += 1;
    if (type === "test:fail") failed += 1;
  }
  yield `${passed} passed, ${failed} failed\n`;
}
