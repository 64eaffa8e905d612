/** Paste's tokens for Flex's theme, light or dark: the shared components take them as custom properties. */

import light from "virtual:tokens/twilio";
import dark from "virtual:tokens/twilio-dark";

export interface PluginTheme {
  name: string;
  tokens: Readonly<Record<string, string>>;
}

const LIGHT: PluginTheme = { name: "light", tokens: light };
const DARK: PluginTheme = { name: "dark", tokens: dark };

export const themeOf = (isLight: boolean): PluginTheme => (isLight ? LIGHT : DARK);
