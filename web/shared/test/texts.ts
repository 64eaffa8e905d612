/** Keys of a language's texts, each with the number of values that its sentence takes. */
export function shape(texts: object, path = ""): string[] {
  return Object.entries(texts).flatMap(([key, text]) => {
    const here = path ? `${path}.${key}` : key;
    if (typeof text === "function") return [`${here}(${text.length})`];
    return typeof text === "object" && text !== null ? shape(text, here) : [here];
  });
}

/** Texts, and not sentences, that are alike in two languages. */
export function untranslated(one: object, other: object, path = ""): string[] {
  return Object.entries(one).flatMap(([key, text]) => {
    const here = path ? `${path}.${key}` : key;
    const same = (other as Record<string, unknown>)[key];
    if (typeof text === "object" && text !== null && typeof same === "object" && same !== null)
      return untranslated(text, same, here);
    return typeof text === "string" && text === same ? [here] : [];
  });
}
