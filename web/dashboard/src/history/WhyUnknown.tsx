/** Why nothing is known of a day: it is before the first row, or its details are over while its intervals are kept. */
import { addDays, dateOf } from "@taskrouter-sync/shared/format/localDays.ts";
import { useSession } from "../base/session.ts";
import { useHistoryText } from "../locales/history/index.ts";
import { reportAddress } from "./addresses.ts";
import { dayName } from "./dates.ts";
import { useHistoryState } from "./HistoryState.tsx";

interface WhyUnknownProps {
  date: string;
  today: string;
  queue?: string | undefined;
}

export function WhyUnknown({ date, today, queue }: WhyUnknownProps) {
  const text = useHistoryText();
  const words = text.curve;
  const state = useHistoryState();
  const { timeZone } = useSession();
  if (!state) return null;
  const { since, detailDays, intervalDays } = state;
  const first = since === null ? undefined : dateOf(Date.parse(since), state.timezone ?? timeZone);
  if (date < addDays(today, -detailDays) && date >= addDays(today, -intervalDays))
    return (
      <>
        {words.detailOver(detailDays)} <a href={reportAddress(date, queue)}>{words.toReport}</a>
      </>
    );
  return first !== undefined && date < first ? words.beforeFirst(dayName(first, text.locale)) : null;
}
