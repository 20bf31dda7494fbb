// The keys of the page around must not act while a control of ours has the focus: JupyterLab folds headings with the arrow keys.
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || (event.shiftKey && event.key === "Enter");
    if (!elsewhere && /^(Arrow|Home$|End$|Page| $|Enter$)/.test(event.key)) event.stopPropagation();
  });
}
