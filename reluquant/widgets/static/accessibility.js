// What the page needs for people who use a keyboard or a screen reader, and what other parts do not do by themselves.

// Jupyter's shortcuts take the arrow keys away from sliders and menus. Lumino leaves keys to an element with this
// attribute; it is set when such an element gets the focus, since sliders build their handles late.
const KEEP = "data-lm-suppress-shortcuts";
const keep = (event) => {
  if (event.target.matches(".noUi-handle, select")) event.target.setAttribute(KEEP, "true");
};

// A press on a picture takes the focus, so that Escape is heard there; what has it in the box keeps it.
const take = ({ currentTarget }) => {
  if (!currentTarget.contains(document.activeElement)) currentTarget.focus({ preventScroll: true });
};

function render({ model, el }) {
  const escape = (event) => {
    if (event.key === "Escape" && event.target.tagName !== "SELECT") model.send({ event: "escape" });
  };
  const labels = model.get("labels");
  let root = null;
  let waiting = 0;
  // The parts of a box appear one by one, after this one or before it.
  const attach = () => {
    if (!root) {
      root = el.closest(`.${model.get("inside")}`);
      if (root) {
        root.tabIndex = -1;
        root.style.outline = "none";
      }
      root?.addEventListener("focusin", keep);
      root?.addEventListener("pointerup", take);
      root?.addEventListener("keydown", escape);
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
    root?.removeEventListener("pointerup", take);
    root?.removeEventListener("keydown", escape);
  };
}
export default { render };
