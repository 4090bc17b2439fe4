import type { operations } from "./generated/wire.js";
import type {
  Candle, Chain, Dashboard, Expiry, Health, Interval, MarketStatus, Quote, Strategy, StrategyRequest, SymbolInfo,
} from "./types.js";
import { MarketError } from "./types.js";

type Query<Operation extends keyof operations> = NonNullable<operations[Operation]["parameters"]["query"]>;
type Data<Operation extends keyof operations> = operations[Operation] extends {
  responses: { 200: { content: { "application/json": { data: infer D } } } };
}
  ? D
  : never;

export interface RestOptions {
  /** Of the server; by default where the page is from. */
  url?: string;
  token?: string;
  fetch?: typeof fetch;
}

/** The routes by name, with the envelope taken off. A refusal is a `MarketError`. */
export class Rest {
  private readonly fetch: typeof fetch;

  constructor(private readonly options: RestOptions = {}) {
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  symbols = (): Promise<{ symbols: SymbolInfo[] } & Data<"getSymbols">> => this.get("/api/symbols");
  expiries = (symbol: string): Promise<{ symbol: string; expiry_dates: string[]; expiries: Expiry[] }> =>
    this.get(`/api/expiries/${encodeURIComponent(symbol)}`);
  quote = (symbol: string): Promise<Quote> => this.get(`/api/spot_price/${encodeURIComponent(symbol)}`);
  chain = (query: Query<"getOptionChain">): Promise<Chain> => this.get("/api/option_chain", query);
  dashboard = (query: Query<"getDashboardData">): Promise<Dashboard> => this.get("/api/dashboard_data", query);
  candles = (symbol: string, query: Query<"getHistoricalData">): Promise<{ interval: Interval; candles: Candle[] } & Data<"getHistoricalData">> =>
    this.get(`/api/historical-data/${encodeURIComponent(symbol)}`, query);
  days = (symbol: string): Promise<Data<"getOhlcData">> => this.get(`/api/ohlc_data/${encodeURIComponent(symbol)}`);
  dashboardHistory = (symbol: string, query: Query<"getDashboardHistory">): Promise<Data<"getDashboardHistory">> =>
    this.get(`/api/dashboard-history/${encodeURIComponent(symbol)}`, query);
  oiHistory = (symbol: string, query: Query<"getOiHistory">): Promise<Data<"getOiHistory">> =>
    this.get(`/api/oi-history/${encodeURIComponent(symbol)}`, query);
  strategy = (order: StrategyRequest): Promise<Strategy> => this.post("/api/strategy", order);
  marketStatus = (): Promise<MarketStatus> => this.get("/api/market-status");
  statistics = (): Promise<Data<"getWebsocketStats">> => this.get("/api/websocket/stats");
  scenario = (): Promise<Data<"getSimulationScenario">> => this.get("/api/simulation/scenario");
  setScenario = (scenario: string): Promise<Data<"postSimulationScenario">> => this.post("/api/simulation/scenario", { scenario });
  faults = (): Promise<Data<"getSimulationFaults">> => this.get("/api/simulation/faults");
  bringAbout = (fault: object): Promise<Data<"postSimulationFaults">> => this.post("/api/simulation/faults", fault);
  clearFaults = (): Promise<Data<"deleteSimulationFaults">> => this.send("DELETE", "/api/simulation/faults");
  replay = (): Promise<Data<"getReplay">> => this.get("/api/replay");
  steerReplay = (order: object): Promise<Data<"postReplay">> => this.post("/api/replay", order);

  /** A server that is not well answers too, with a status of its own. */
  async health(): Promise<Health> {
    return this.send("GET", "/health", undefined, [503]);
  }

  private get<T>(path: string, query: object = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return this.send("GET", search ? `${path}?${search}` : path);
  }

  private post<T>(path: string, body: unknown): Promise<T> {
    return this.send("POST", path, body);
  }

  private async send<T>(method: string, path: string, body?: unknown, also: number[] = []): Promise<T> {
    const headers: Record<string, string> = {};
    if (this.options.token) headers["X-API-Key"] = this.options.token;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await this.fetch((this.options.url ?? "") + path, {
        method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new MarketError("UNREACHABLE", "The server cannot be reached.");
    }
    const answer = await response.json().catch(() => null);
    if (answer?.success || (answer?.data && also.includes(response.status))) return answer.data;
    const code = answer?.error?.code ?? "INTERNAL_ERROR";
    throw new MarketError(code, answer?.message ?? `The server answers ${response.status}.`, answer?.error?.details, response.status);
  }
}
