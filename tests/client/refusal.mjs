// What a refused client reads in `connect_error`.

import { connect, next, options, report } from "./market.mjs";

const socket = connect({
  reconnection: false,
  auth: options.auth,
  extraHeaders: options.origin ? { Origin: options.origin } : undefined,
});
const outcome = await Promise.race([
  next(socket, "connect_error").then((error) => ({ message: error.message, data: error.data ?? null })),
  next(socket, "connection_status").then(() => ({ connected: true })),
]);
report(outcome);
