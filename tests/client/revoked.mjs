// Connect, follow a chain, and report what a client reads when its key is revoked.

import { ask, connect, next, options, report, settled } from "./market.mjs";

const socket = connect({ auth: options.auth, reconnection: false });
const told = next(socket, "error");
const gone = next(socket, "disconnect");
await next(socket, "connection_status");
const transport = await settled(socket);
await ask(socket, "subscribe_option_chain", { symbol: "NIFTY", strikes: 5 });
process.stdout.write("connected\n");
report({ transport, told: await told, reason: await gone });
