// The peer: Node's Socket.IO server as its documentation shows it, emitting to a room on a timer.
//     node server.js PORT PAYLOAD_BYTES TICKS_PER_SECOND [deflate]
import { createServer } from "node:http";
import { Server } from "socket.io";

const [port, payloadBytes, ticksPerSecond] = process.argv.slice(2, 5).map(Number);
const perMessageDeflate = process.argv[5] === "deflate"; // off is the library's default since 2020: it costs memory
const EVENT = "symbol_update";

// nanoseconds do not fit a double: milliseconds with six zeros are as good for a latency
const now = () => `${(performance.timeOrigin + performance.now()).toFixed(3).replace(".", "")}000`;

function payload() {
  const t_ns = Number(now());
  const empty = `42["${EVENT}",${JSON.stringify({ t_ns, x: "" })}]`.length;
  return { t_ns, x: "x".repeat(payloadBytes - empty) };
}

const http = createServer();
const io = new Server(http, { perMessageDeflate, serveClient: false });
io.on("connection", (socket) => {
  socket.on("subscribe_symbol", ({ symbol }) => socket.join(symbol));
});
http.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
setInterval(() => io.to("NIFTY").emit(EVENT, payload()), 1000 / ticksPerSecond);
