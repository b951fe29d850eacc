// What is wrong with the page in front, for the eye and the hand: a list of sentences.
const [mode] = arguments;
const wrong = [];
const named = (one) => one.outerHTML.replace(/\s+/g, " ").slice(0, 100);
const shown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden";
const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) {
  const widest = all("body *").filter((one) => one.getBoundingClientRect().right > root.clientWidth + 0.5);
  wrong.push(`it is ${root.scrollWidth} wide and ${root.clientWidth} are seen: ${widest.slice(-3).map(named)}`);
}
const targets = all("a, button, select, textarea, summary, input:not([type=hidden])");
// A link within a sentence is as high as its line (WCAG 2.5.8, "inline").
const inline = (one) => one.matches("a") && getComputedStyle(one).display === "inline"
  && [...one.parentElement.childNodes].some((node) => node !== one && node.textContent.trim() !== "");
const skip = (one) => one.matches(".skip");
for (const one of targets.filter((one) => !inline(one) && !skip(one))) {
  const { width, height } = one.getBoundingClientRect();
  if (width < 24 || height < 24) wrong.push(`a target of ${width.toFixed(1)} by ${height.toFixed(1)}: ${named(one)}`);
}
if (mode === "forced") {
  for (const one of targets.filter((one) => !skip(one) && !one.matches("summary, [type=radio], [type=checkbox]"))) {
    const style = getComputedStyle(one);
    const marked = parseFloat(style.borderTopWidth) > 0 || style.textDecorationLine.includes("underline");
    if (!marked && !one.matches("[aria-current]")) wrong.push(`nothing but colour marks ${named(one)}`);
  }
}
if (mode === "still") {
  for (const one of all("body *")) {
    const style = getComputedStyle(one);
    const moves = (time) => time.split(",").some((part) => parseFloat(part) > 0);
    if (moves(style.transitionDuration) || moves(style.animationDuration)) wrong.push(`it moves: ${named(one)}`);
  }
}
return wrong;
