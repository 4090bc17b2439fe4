// Connect and stay until the test ends this script.

import { connect, next, options } from "./market.mjs";

const socket = connect({ auth: options.auth });
await next(socket, "connection_status");
process.stdout.write("connected\n");
