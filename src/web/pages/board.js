// Keeps the board live: the server sends the changed part whenever something was recorded.
const board = document.getElementById("board");
if (board) {
  const events = new EventSource("/board/events");
  events.onmessage = (event) => { board.innerHTML = event.data; };
}
