/**
 * Where the design tokens (`--color-*`) come from. The page has them in its CSS; a Flex plugin passes Paste's theme as
 * `tokens`, which become custom properties of a wrapper. `theme` names the set, so that charts, which copy colours, are
 * drawn again when it changes.
 */
import * as React from "react";

const ThemeContext = React.createContext("");

export const useTokenTheme = (): string => React.useContext(ThemeContext);

interface TokenScopeProps {
  theme: string;
  /** By name without dashes, such as `colorTextWeak`, or as a custom property. */
  tokens?: Readonly<Record<string, string>>;
  /** Of the wrapper. */
  className?: string | undefined;
  children?: React.ReactNode;
}

export function TokenScope({ theme, tokens, className, children }: TokenScopeProps) {
  const style = React.useMemo(
    () =>
      tokens &&
      (Object.fromEntries(
        Object.entries(tokens).map(([name, value]) => [customProperty(name), value]),
      ) as React.CSSProperties),
    [tokens],
  );
  return (
    <ThemeContext.Provider value={theme}>
      {style ? (
        <div className={className} style={style}>
          {children}
        </div>
      ) : (
        children
      )}
    </ThemeContext.Provider>
  );
}

const customProperty = (name: string) =>
  name.startsWith("--") ? name : `--${name.replace(/([A-Z]|\d+)/g, "-$1").toLowerCase()}`;
