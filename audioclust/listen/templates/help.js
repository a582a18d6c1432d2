// What a first visit shows, and the list of keys.
const SEEN = "audioclust welcome"; // where the browser keeps that a person has read it
const KEY_LIST = [
  ["Space", "play or pause"], ["← →", "the previous or the next clip of the list"],
  ["n", "name by listening: its keys stand on its buttons"],
  ["s", "what is most like the clip that plays"], ["x", "select the clip that plays"],
  ["Ctrl-click, Shift-click", "select a clip, or all up to it"], ["m", "move what is selected"],
  ["h", "play the clip under the pointer, or do not"], ["/", "search"],
  ["Ctrl-Z, Ctrl-Y", "take back, do again"], ["Esc", "choose and select nothing"], ["?", "this list"]];

function closeWelcome() {
  $("welcome").hidden = true;
  try { localStorage.setItem(SEEN, "yes") } catch { /* no storage here */ }
}

function showWelcome() {
  let seen = null;
  try { seen = localStorage.getItem(SEEN) } catch { /* no storage here */ }
  $("welcome").hidden = seen !== null;
}

function showKeys() {
  const lines = KEY_LIST.flatMap(([key, text]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, text)]);
  $("keys-list").replaceChildren(...lines);
  $("keys").showModal();
}
