import * as React from "react";
import { useText } from "../locales/index.ts";
import css from "./ui.module.css";

/** A dash with a reason; never a zero, never a blank. */
export function NoData({ reason }: { reason: string }) {
  const text = useText();
  return (
    <span className={css.weak} data-tip={text.noDataTip(reason)}>
      <span aria-hidden="true">–</span>
      <span className={css.srOnly}>{text.noData(reason)}</span>
    </span>
  );
}
