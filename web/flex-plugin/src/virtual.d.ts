declare module "virtual:tokens/*" {
  const tokens: Readonly<Record<string, string>>;
  export default tokens;
}
