"use strict";
document.getElementById("copy").addEventListener("click", e => {
  const range = document.createRange();
  range.selectNodeContents(document.getElementById("command"));
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  e.target.textContent = document.execCommand("copy") ? "copied" : "press Ctrl-C";
});
