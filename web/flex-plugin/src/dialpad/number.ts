/** Phone numbers as people type them, made E.164 with the help of a country. Pure. */

export interface Country {
  /** ISO 3166. */
  id: string;
  code: string;
  /** The digit that domestic numbers begin with and international ones leave out. */
  trunk: string;
}

export const COUNTRIES: readonly Country[] = [
  { id: "US", code: "1", trunk: "1" },
  { id: "DE", code: "49", trunk: "0" },
  { id: "AT", code: "43", trunk: "0" },
  { id: "AU", code: "61", trunk: "0" },
  { id: "BE", code: "32", trunk: "0" },
  { id: "BR", code: "55", trunk: "0" },
  { id: "CA", code: "1", trunk: "1" },
  { id: "CH", code: "41", trunk: "0" },
  { id: "ES", code: "34", trunk: "" },
  { id: "FR", code: "33", trunk: "0" },
  { id: "GB", code: "44", trunk: "0" },
  { id: "IE", code: "353", trunk: "0" },
  { id: "IN", code: "91", trunk: "0" },
  { id: "IT", code: "39", trunk: "" },
  { id: "JP", code: "81", trunk: "0" },
  { id: "MX", code: "52", trunk: "" },
  { id: "NL", code: "31", trunk: "0" },
  { id: "PL", code: "48", trunk: "" },
  { id: "SE", code: "46", trunk: "0" },
];

const E164 = /^\+[1-9]\d{6,14}$/;

/** The country whose code the number has; the longest code wins. */
export function countryOf(number: string): Country | undefined {
  return [...COUNTRIES]
    .sort((a, b) => b.code.length - a.code.length)
    .find(({ code }) => number.startsWith(`+${code}`));
}

/** Undefined where it is no number. `00` and `011` are how people dial a `+`. */
export function e164(typed: string, country: Country | undefined): string | undefined {
  const text = typed.trim();
  if (!/^[+\d\s().\-/]+$/.test(text)) return undefined;
  const digits = text.replace(/\D/g, "");
  let number: string;
  if (text.startsWith("+")) number = `+${digits}`;
  else if (digits.startsWith("00")) number = `+${digits.slice(2)}`;
  else if (country?.code === "1" && digits.startsWith("011")) number = `+${digits.slice(3)}`;
  else if (country) {
    const national =
      country.trunk && digits.startsWith(country.trunk) ? digits.slice(country.trunk.length) : digits;
    number = `+${country.code}${national}`;
  } else return undefined;
  return E164.test(number) ? number : undefined;
}
