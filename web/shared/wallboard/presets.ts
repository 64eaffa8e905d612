/** The preset styles, in names of Paste's tokens. */
import type { Style } from "../api/types.ts";

const style = (
  styleName: string,
  headlineColour: string,
  statColour: string,
  backgroundColour: string,
): Style => ({
  styleName,
  headlineColour,
  statColour,
  backgroundColour,
});

export const PRESETS: readonly Style[] = [
  style("Default", "colorTextWeak", "colorText", "transparent"),
  style("Success", "colorTextSuccess", "colorTextSuccess", "colorBackgroundSuccessWeakest"),
  style("Warn", "colorTextWarningStrong", "colorTextWarningStrong", "colorBackgroundWarningWeakest"),
  style("Error", "colorTextErrorStrong", "colorTextErrorStrong", "colorBackgroundErrorWeakest"),
  style("Success Strong", "colorTextBrand", "colorTextBrand", "colorBackgroundAvailable"),
  style("Warn Strong", "colorTextBrand", "colorTextBrand", "colorBackgroundWarning"),
  style("Error Strong", "colorTextBrandInverse", "colorTextBrandInverse", "colorBackgroundError"),
];

/** The styles of a definition that names none: a threshold without a colour would not warn. */
export const DEFAULT_STYLES = {
  defaultStyle: PRESETS[0],
  firstThresholdStyle: PRESETS[2],
  secondThresholdStyle: PRESETS[3],
} as const;
