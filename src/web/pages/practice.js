// Practice: the phones' threads, what one types or presses as a parent, and the clock that one moves.
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

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// A word under a phone's thread that goes away by itself.
const tell = (phone, text) => {
  const line = phone.querySelector(".word");
  line.textContent = text;
  clearTimeout(phone.gone);
  phone.gone = setTimeout(() => { line.textContent = ""; }, 5000);
};
// Asks the practice; says why if it cannot be done.
const ask = async (phone, path, body) => {
  try {
    const answer = await post(path, body);
    if (!answer.ok) tell(phone, await answer.text());
    return answer.ok;
  } catch {
    tell(phone, "the practice does not answer; is it still running?");
    return false;
  }
};

for (const phone of document.querySelectorAll(".phone")) {
  const { number, chat } = phone.dataset;
  phone.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = phone.querySelector("input");
    const body = field.value;
    if (!body.trim()) return;
    field.value = "";
    const sent = chat ? await ask(phone, "/practice/chat", { chat: Number(chat), body }) : await ask(phone, "/practice/text", { number, body });
    if (!sent && !field.value) field.value = body;
  });
  if (chat) {
    phone.querySelector(".thread").addEventListener("click", (event) => {
      const key = event.target.closest("button");
      if (!key) return;
      tell(phone, `pressed: ${key.textContent}`);
      ask(phone, "/practice/press", { chat: Number(chat), message_id: Number(key.dataset.message), data: key.dataset.data });
    });
    phone.querySelector(".block").addEventListener("click", () => ask(phone, "/practice/block", { chat: Number(chat), blocked: !phone.classList.contains("blocked") }));
  }
}

// Only the people that are looked for; a person with two screens keeps both.
const find = document.getElementById("find");
if (find) {
  // Found without its accents too.
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ł", "l");
  const look = () => {
    const words = plain(find.value).split(/\s+/).filter(Boolean);
    for (const hand of document.querySelectorAll(".pair, .phones > .phone")) {
      const heads = [...hand.querySelectorAll("h2, .whose, .line")].map((e) => plain(e.textContent)).join(" ");
      hand.hidden = !words.every((word) => heads.includes(word));
    }
  };
  find.addEventListener("input", look);
  find.form.addEventListener("submit", (event) => event.preventDefault());
  look();
}

// One message; the buttons stand below the message to which they belong.
const bubble = (text) => {
  const line = make("li", text.own ? "own" : "centre");
  const said = make("div", "said");
  said.append(make("p", "", text.body), make("time", "", text.at));
  line.append(said);
  for (const row of text.buttons || []) {
    const keys = make("div", "keys");
    for (const [label, data] of row) {
      const key = make("button", "", label);
      key.type = "button";
      key.dataset.testid = "phone-button";
      key.dataset.message = text.id;
      key.dataset.data = data;
      keys.append(key);
    }
    line.append(keys);
  }
  return line;
};

// Brings a thread up to date; a message that did not change stays as it is, with whatever has the focus in it.
const thread = (phone, texts) => {
  const list = phone.querySelector(".thread");
  const before = list.childElementCount;
  const held = list.contains(document.activeElement);
  texts.forEach((text, n) => {
    const was = JSON.stringify(text);
    const old = list.children[n];
    if (old && old.was === was) return;
    const line = bubble(text);
    line.was = was;
    if (old) old.replaceWith(line);
    else list.append(line);
  });
  while (list.childElementCount > texts.length) list.lastElementChild.remove();
  phone.classList.toggle("used", texts.length > 0);
  // To the end; of a message that is longer than the thread, the beginning.
  if (texts.length > before) list.scrollTop = list.lastElementChild.offsetTop - list.offsetTop;
  if (held && !list.contains(document.activeElement)) phone.querySelector("input").focus({ preventScroll: true });
};

let seen = null;
const show = (state) => {
  document.getElementById("clock-now").textContent = state.clock;
  for (const phone of document.querySelectorAll(".phone")) {
    const id = phone.dataset.chat || phone.dataset.number;
    thread(phone, state.threads[id] || []);
    if (!phone.dataset.chat) continue;
    const blocked = state.blocked.includes(id);
    phone.classList.toggle("blocked", blocked);
    phone.querySelector(".block").textContent = blocked ? "Unblock the bot" : "Block the bot";
    // What stood there before the page was opened is not news.
    const [n, words] = state.toasts[id] || [0, ""];
    if (seen && n > (seen[id]?.[0] || 0) && words) tell(phone, words);
  }
  seen = state.toasts;
};
new EventSource("/practice/events").onmessage = (event) => show(JSON.parse(event.data));
