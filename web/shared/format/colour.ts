/** `colorTextDecorative10` is `var(--color-text-decorative-10)`; what is no colour token is undefined. */
export function tokenColour(name: string | undefined): string | undefined {
  if (name === "transparent") return name;
  if (!name || !/^color[A-Z][A-Za-z0-9]*$/.test(name)) return undefined;
  return `var(--${name.replace(/([A-Z]|\d+)/g, "-$1").toLowerCase()})`;
}
