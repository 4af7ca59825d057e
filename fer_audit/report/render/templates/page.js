"use strict";
// Two conveniences. The page is complete without them.
const tables = [...document.querySelectorAll("details")];
const button = document.createElement("button");
button.type = "button";
const name = () => { button.textContent = tables.every((each) => each.open) ? "Close all tables" : "Open all tables"; };
button.addEventListener("click", () => {
  const open = !tables.every((each) => each.open);
  for (const each of tables) each.open = open;
  name();
});
const tools = document.createElement("div");
tools.className = "tools";
tools.append(button);
name();
document.querySelector(".contents").append(tools);
// For browsers whose print style cannot open a disclosure.
addEventListener("beforeprint", () => { for (const each of tables) each.open = true; name(); });
