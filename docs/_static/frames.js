// A frame wears the theme of its page, and says so by the end of its address.
const theme = () => "#" + (document.documentElement.dataset.theme === "dark" ? "dark" : "light");
const frames = () => document.querySelectorAll("iframe.rq-frame");
const address = (frame) => frame.src.split("#")[0] + theme();

addEventListener("DOMContentLoaded", () => {
  for (const frame of frames()) frame.src = address(frame);
  // Replaced, so that the reader's way back is not paved with themes.
  new MutationObserver(() => {
    for (const frame of frames()) frame.contentWindow.location.replace(address(frame));
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
});
