/** Numbers as a language writes them. Making a format costs a thousand times its use. Pure. */
const formats = new Map<string, Intl.NumberFormat>();

export function localNumber(value: number, locale: string, least: number, most: number): string {
  const key = `${locale} ${least} ${most}`;
  const known =
    formats.get(key) ??
    new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: most });
  formats.set(key, known);
  return known.format(value);
}
