// The page: a probe, and a wallboard's tile with a number by formula.
import { Probe } from "./probe.mjs";

window.begin = (token, options) => {
  window.probe = new Probe(token, options, (entry) => {
    if (entry.object === "dashboard-data") show(entry.data);
    window.tell(entry);
  });
};

function show(data) {
  document.getElementById("tile").textContent = data.workspace_statistics.realtime.tasks_by_status.pending;
}
