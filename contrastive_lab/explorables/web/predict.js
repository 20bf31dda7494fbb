// Predict first: controls stay locked until one answer is chosen; any answer unlocks them.
function lock(root, opened) {
  const controls = root.querySelectorAll("button,input[type=range]"), question = root.querySelector("fieldset");
  const set = (value) => controls.forEach((control) => { control.disabled = value; });
  if (!question) { set(false); opened(); return false; }
  set(true);
  question.addEventListener("change", (event) => {
    const right = event.target.value === question.dataset.right, answer = question.querySelector(".answer");
    answer.textContent = (right ? "Yes. " : "Look again. ") + question.dataset.answer;
    set(false); opened();
  });
  return true;
}
