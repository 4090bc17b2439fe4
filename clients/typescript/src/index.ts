export { MarketClient } from "./client.js";
export type { ChainArguments, Line, MarketClientOptions, SocketLike } from "./client.js";
export * from "./types.js";
