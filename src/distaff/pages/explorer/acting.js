"use strict";
// What the agent of a run thinks of the code that the sliders stand at: what each action is worth.

function startActing() {
  if (!data.agent) return;
  const rows = data.agent.actions.map(rowOf);
  byId("worth").append(...rows.map(({ row }) => row));
  listeners.push(() => decode("worth", state.code, (worth) => drawWorth(rows, worth), "policy"));
}

function rowOf(name) {
  const bar = made("span"), worth = made("td", { className: "n" });
  const row = made("tr", {}, made("td", {}, name), worth, made("td", {}, made("div", { className: "bar" }, bar)));
  return { name, row, worth, bar };
}

// The longest bar is the action that the agent takes; the least that any is worth has none.
function drawWorth(rows, worth) {
  const most = Math.max(...worth), span = most - Math.min(...worth), best = worth.indexOf(most);
  rows.forEach(({ row, worth: cell, bar }, action) => {
    cell.textContent = worth[action].toFixed(3);
    bar.style.width = `${span ? (100 * (worth[action] - most + span)) / span : 100}%`;
    row.className = action === best ? "best" : "";
  });
  byId("does").textContent = `At the code of the sliders it takes: ${rows[best].name}`;
}
