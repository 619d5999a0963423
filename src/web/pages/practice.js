// Practice: the phones' threads, the texts that one types as a parent, and the clock that one moves.
const post = (path, body) => fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const word = document.getElementById("clock-word");
const clockForm = document.getElementById("clock");
const clockTo = document.getElementById("clock-to");

const move = async (to) => {
  word.textContent = "moving…";
  const answer = await post("/practice/clock", { to });
  word.textContent = await answer.text();
  if (answer.ok) clockTo.value = "";
};
clockForm.addEventListener("submit", (event) => { event.preventDefault(); if (clockTo.value.trim()) move(clockTo.value.trim()); });
document.getElementById("clock-next").addEventListener("click", () => move("next"));

for (const phone of document.querySelectorAll(".phone")) {
  phone.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = phone.querySelector("input");
    const body = field.value;
    if (!body.trim()) return;
    field.value = "";
    await post("/practice/text", { number: phone.dataset.number, body });
  });
}

const show = (state) => {
  document.getElementById("clock-now").textContent = state.clock;
  for (const phone of document.querySelectorAll(".phone")) {
    const thread = phone.querySelector(".thread");
    const texts = state.threads[phone.dataset.number] || [];
    if (texts.length === thread.childElementCount) continue;
    thread.replaceChildren(...texts.map((text) => {
      const line = document.createElement("li");
      line.className = text.own ? "own" : "centre";
      const at = document.createElement("time");
      at.textContent = text.at;
      const body = document.createElement("p");
      body.textContent = text.body;
      line.append(body, at);
      return line;
    }));
    thread.scrollTop = thread.scrollHeight;
    phone.classList.toggle("used", texts.length > 0);
  }
};
new EventSource("/practice/events").onmessage = (event) => show(JSON.parse(event.data));
