// What a page of an origin that is not let in can find out, over polling first as io() does by default.
import { io } from "socket.io-client";

const url = new URLSearchParams(location.search).get("server") ?? "";
const socket = io(url, { reconnection: false });
socket.on("connect_error", (error: Error & { data?: unknown }) => {
  Object.assign(window, { refused: { message: error.message, data: error.data ?? null } });
});
socket.on("connection_status", () => Object.assign(window, { refused: "let in" }));
