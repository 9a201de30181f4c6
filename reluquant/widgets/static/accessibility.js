// What the page needs for people who use a keyboard or a screen reader, and what other parts do not do by themselves.

// Jupyter's shortcuts take the arrow keys away from sliders and menus. Lumino leaves keys to an element with this
// attribute; it is set when such an element gets the focus, since sliders build their handles late.
const KEEP = "data-lm-suppress-shortcuts";
const keep = (event) => {
  if (event.target.matches(".noUi-handle, select")) event.target.setAttribute(KEEP, "true");
};

function render({ model, el }) {
  const labels = model.get("labels");
  let root = null;
  let waiting = 0;
  // The parts of a box appear one by one, after this one or before it.
  const attach = () => {
    if (!root) {
      root = el.closest(`.${model.get("inside")}`);
      root?.addEventListener("focusin", keep);
    }
    const figures = root ? [...root.querySelectorAll(".bqplot")] : [];
    if (!root || figures.length < labels.length) {
      waiting = requestAnimationFrame(attach);
      return;
    }
    labels.forEach((label, i) => {
      figures[i].setAttribute("role", "figure");
      figures[i].setAttribute("aria-label", label);
    });
  };
  attach();
  el.style.display = "none";
  return () => {
    cancelAnimationFrame(waiting);
    root?.removeEventListener("focusin", keep);
  };
}
export default { render };
