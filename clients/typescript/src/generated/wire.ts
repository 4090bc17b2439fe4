// Made by scripts/generate.mjs of /api/openapi.json and /api/asyncapi.json: do not edit.
/* eslint-disable */
export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A page with links to everything
         * @description For people.
         */
        get: operations["getIndex"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health of the service and of each part
         * @description For supervisors, who need no key. 200 while the server serves, 503 when it does not. With `probe` the answer is the `status` alone.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Name, version, routes and events
         * @description The tables of this server.
         */
        get: operations["getApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/symbols": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What can be asked for
         * @description Underlyings, a page of them; the plain lists are of all that match.
         */
        get: operations["getSymbols"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/expiries/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * Expiries of an underlying
         * @description What is listed now, nearest first.
         */
        get: operations["getExpiries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/spot_price/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * Price of an underlying
         * @description The latest price and the day's range. The same state as the stream's for the same `seq`.
         */
        get: operations["getSpotPrice"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/option_chain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An option chain with Greeks, open interest and totals
         * @description One row a strike, ascending. Totals, put-call ratios and max pain are over all listed strikes, whatever `strikes` asks for. Delta and gamma are to the spot; theta, vega and rho hold the forward. With `at` the chain as it was recorded: quantities of its quotes are not, and its `epoch` is `history`, which no stream has.
         */
        get: operations["getOptionChain"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dashboard_data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Figures of an expiry
         * @description Put-call ratios, max pain with its curve, support and resistance, volatility, gamma exposure. With `at` as they were, from history.
         */
        get: operations["getDashboardData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/strategy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pay-off, break-evens, Greeks and odds of several legs
         * @description Legs are contracts of one expiry. A leg without `price` is taken at the middle of its quote, else at its last price; where there is neither, the answer is VALIDATION_ERROR. Money and net Greeks are of the whole position: legs times lots times lot size.
         */
        post: operations["postStrategy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/market-status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Trading phase of each exchange
         * @description The default exchange's fields stand at the top, each exchange asked for in `exchanges`.
         */
        get: operations["getMarketStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/historical-data/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * Candles of an underlying or of a contract
         * @description A page of them, ascending. With `from` pages go forward from there; without it the first page has the newest candles and the next ones go back: give the answer's `to` with them, and what arrives meanwhile moves nothing. With `expiry`, `strike` and `option_type` those of a contract. A candle covers [date, date + interval) of its trading day's grid; a time without a price has no candle.
         */
        get: operations["getHistoricalData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ohlc_data/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * This trading day and the one before
         * @description Open, high, low and last price of both, and the price that changes are counted from.
         */
        get: operations["getOhlcData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dashboard-history/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * Figures of an expiry through time
         * @description Oldest first, a page of them: each interval's last state, recorded once a minute, as far back as metrics are kept; at most 400 days at once. By day and week sessions before the first record have a point too: `spot_price`, and the `near_month_iv` of their end that `iv_rank` rests on.
         */
        get: operations["getDashboardHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/oi-history/{symbol}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        /**
         * Open interest per strike through time
         * @description Open interest of calls and puts and its change since the previous close, each interval's last state; at most 7 days at once. `strikes` is a number of strikes around the money, or a list.
         */
        get: operations["getOiHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where a replay stands, and what it is to do
         * @description Only where the source is a replay. POST pauses, resumes, seeks (`at`) or sets the speed (`speed`), where the operator set `feed.control`, with a key of the scope `control`. A seek begins a new epoch: streams send snapshots.
         */
        get: operations["getReplay"];
        put?: never;
        /**
         * Where a replay stands, and what it is to do
         * @description Only where the source is a replay. POST pauses, resumes, seeks (`at`) or sets the speed (`speed`), where the operator set `feed.control`, with a key of the scope `control`. A seek begins a new epoch: streams send snapshots.
         */
        post: operations["postReplay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/simulation/scenario": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The scenario of the simulated market
         * @description Only where the source is simulated. POST goes over to another scenario, where the operator set `feed.control`, with a key of the scope `control`; `feed_status` tells it to everybody.
         */
        get: operations["getSimulationScenario"];
        put?: never;
        /**
         * The scenario of the simulated market
         * @description Only where the source is simulated. POST goes over to another scenario, where the operator set `feed.control`, with a key of the scope `control`; `feed_status` tells it to everybody.
         */
        post: operations["postSimulationScenario"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/simulation/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Faults on purpose
         * @description What is in force and until when, and what can be brought about here. POST begins one, for some seconds of the market's clock, DELETE ends all or those of a kind; both where the operator set `feed.control`, with a key of the scope `control`. `drop_sockets`, `sequence_gap`, `malformed_frame` and `drop_ticker` happen once. The last four kinds are the Kite mock's.
         */
        get: operations["getSimulationFaults"];
        put?: never;
        /**
         * Faults on purpose
         * @description What is in force and until when, and what can be brought about here. POST begins one, for some seconds of the market's clock, DELETE ends all or those of a kind; both where the operator set `feed.control`, with a key of the scope `control`. `drop_sockets`, `sequence_gap`, `malformed_frame` and `drop_ticker` happen once. The last four kinds are the Kite mock's.
         */
        post: operations["postSimulationFaults"];
        /**
         * Faults on purpose
         * @description What is in force and until when, and what can be brought about here. POST begins one, for some seconds of the market's clock, DELETE ends all or those of a kind; both where the operator set `feed.control`, with a key of the scope `control`. `drop_sockets`, `sequence_gap`, `malformed_frame` and `drop_ticker` happen once. The last four kinds are the Kite mock's.
         */
        delete: operations["deleteSimulationFaults"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/websocket/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Connections, rooms and fan-out
         * @description Since the server started.
         */
        get: operations["getWebsocketStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The routes, as OpenAPI 3.1
         * @description This document.
         */
        get: operations["getOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/asyncapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The events, as AsyncAPI 3.0
         * @description The streams of Socket.IO.
         */
        get: operations["getAsyncapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Routes and events on a page
         * @description For people; needs no network.
         */
        get: operations["getDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Figures for Prometheus
         * @description Its text format, or OpenMetrics.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What went wrong. */
        ValidationErrorBody: {
            /**
             * @description a parameter is missing, unknown, malformed or out of range
             * @example VALIDATION_ERROR
             * @enum {string}
             */
            code: "VALIDATION_ERROR";
            /**
             * @description by field, what is wrong with it
             * @example {
             *       "strikes": [
             *         "must be a whole number from 1 to 1000, was '0'"
             *       ]
             *     }
             */
            details: {
                [key: string]: string[];
            };
        };
        /** @description VALIDATION_ERROR: a parameter is missing, unknown, malformed or out of range. */
        ValidationErrorRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example strikes must be a whole number from 1 to 1000, was '0'.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description a parameter is missing, unknown, malformed or out of range */
            error: components["schemas"]["ValidationErrorBody"];
        };
        /** @description What went wrong. */
        PayloadTooLargeBody: {
            /**
             * @description a body or a message over the limit
             * @example PAYLOAD_TOO_LARGE
             * @enum {string}
             */
            code: "PAYLOAD_TOO_LARGE";
            /**
             * @description the limit, by its name
             * @example {}
             */
            details: {
                [key: string]: number;
            };
        };
        /** @description PAYLOAD_TOO_LARGE: a body or a message over the limit. */
        PayloadTooLargeRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example The body is larger than this server takes.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description a body or a message over the limit */
            error: components["schemas"]["PayloadTooLargeBody"];
        };
        /** @description What went wrong. */
        RateLimitedBody: {
            /**
             * @description too many requests, events, connections or subscriptions; Retry-After says when to ask again
             * @example RATE_LIMITED
             * @enum {string}
             */
            code: "RATE_LIMITED";
            /**
             * @description the limit, by its name
             * @example {
             *       "limit": 1200
             *     }
             */
            details: {
                [key: string]: number;
            };
        };
        /** @description RATE_LIMITED: too many requests, events, connections or subscriptions; Retry-After says when to ask again. */
        RateLimitedRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example More than 1200 requests a minute; try again in 0.1 s.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description too many requests, events, connections or subscriptions; Retry-After says when to ask again */
            error: components["schemas"]["RateLimitedBody"];
        };
        /** @description Where the log has it. */
        FailureDetails: {
            /**
             * @description the request's id: yours, or a fresh one; the log has it too
             * @example 8f6f0c2e9b1d4a57
             */
            request_id: string;
        };
        /** @description What went wrong. */
        InternalErrorBody: {
            /**
             * @description anything else; the log has it under the request's id
             * @example INTERNAL_ERROR
             * @enum {string}
             */
            code: "INTERNAL_ERROR";
            /** @description what helps to ask again */
            details: components["schemas"]["FailureDetails"];
        };
        /** @description INTERNAL_ERROR: anything else; the log has it under the request's id. */
        InternalErrorRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example Something went wrong here; the log has it under this request id.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description anything else; the log has it under the request's id */
            error: components["schemas"]["InternalErrorBody"];
        };
        /** @description Symbols that look like the one asked for. */
        SymbolDetails: {
            /**
             * @description the symbol asked for
             * @example NIFTI
             */
            symbol: string;
            /**
             * @description listed symbols like it
             * @example [
             *       "NIFTY"
             *     ]
             */
            close_matches: string[];
        };
        /** @description What went wrong. */
        UnknownSymbolBody: {
            /**
             * @description a well-formed symbol that is not listed
             * @example UNKNOWN_SYMBOL
             * @enum {string}
             */
            code: "UNKNOWN_SYMBOL";
            /** @description what helps to ask again */
            details: components["schemas"]["SymbolDetails"];
        };
        /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed. */
        UnknownSymbolRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example The symbol NIFTI is not listed.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description a well-formed symbol that is not listed */
            error: components["schemas"]["UnknownSymbolBody"];
        };
        /** @description The message says it all. */
        NoDetails: Record<string, never>;
        /** @description What went wrong. */
        FeedUnavailableBody: {
            /**
             * @description no data has ever arrived for what was asked; Retry-After says when to ask again
             * @example FEED_UNAVAILABLE
             * @enum {string}
             */
            code: "FEED_UNAVAILABLE";
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
        };
        /** @description FEED_UNAVAILABLE: no data has ever arrived for what was asked; Retry-After says when to ask again. */
        FeedUnavailableRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example No data has arrived yet for NIFTY 2026-12-01.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description no data has ever arrived for what was asked; Retry-After says when to ask again */
            error: components["schemas"]["FeedUnavailableBody"];
        };
        /** @description The expiries that are listed. */
        ExpiryDetails: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description what is listed, nearest first
             * @example [
             *       "2026-12-01",
             *       "2026-12-08"
             *     ]
             */
            listed: string[];
        };
        /** @description What went wrong. */
        UnknownExpiryBody: {
            /**
             * @description no such expiry, or no option at all, is listed on the symbol
             * @example UNKNOWN_EXPIRY
             * @enum {string}
             */
            code: "UNKNOWN_EXPIRY";
            /** @description what helps to ask again */
            details: components["schemas"]["ExpiryDetails"];
        };
        /** @description UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol. */
        UnknownExpiryRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example NIFTY has no expiry on 2026-11-28.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description no such expiry, or no option at all, is listed on the symbol */
            error: components["schemas"]["UnknownExpiryBody"];
        };
        /** @description The strikes near the one asked for. */
        ContractDetails: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description listed strikes, ascending
             * @example [
             *       22650,
             *       22700
             *     ]
             */
            near: number[];
        };
        /** @description What went wrong. */
        UnknownContractBody: {
            /**
             * @description the expiry has no such strike
             * @example UNKNOWN_CONTRACT
             * @enum {string}
             */
            code: "UNKNOWN_CONTRACT";
            /** @description what helps to ask again */
            details: components["schemas"]["ContractDetails"];
        };
        /** @description UNKNOWN_CONTRACT: the expiry has no such strike. */
        UnknownContractRefusal: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example NIFTY 2026-12-01 has no strike 22701.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description the expiry has no such strike */
            error: components["schemas"]["UnknownContractBody"];
        };
        /** @description subscribe_symbol and unsubscribe_symbol. */
        SymbolEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string | string[];
        };
        /** @description A subscription began, ended, its contracts expired, its stream fails, or works again. */
        SubscriptionStatus: {
            /**
             * @description name of a stream: kind, symbol, and expiry or interval
             * @example chain:NIFTY:2026-12-01
             */
            stream: string;
            /**
             * @description null where nothing was followed
             * @example sim-2a-1a206ab0140
             */
            epoch: string | null;
            /**
             * @description null where nothing was followed
             * @example 16
             */
            seq: number | null;
            /**
             * @description chains: delta or full
             * @example delta
             * @enum {string}
             */
            mode?: "delta" | "full";
            /**
             * @description chains: strikes on each side of the money; null for all
             * @example 10
             */
            strikes?: number | null;
            /**
             * @description chains: the fields of each leg, as a set's name or a list
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
            /**
             * @description chains and dashboards: whether it goes over to the next expiry when this one has passed, as a subscription without expiry does
             * @example true
             */
            rolls?: boolean;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description what became of the subscription
             * @example subscribed
             * @enum {string}
             */
            status: "subscribed" | "unsubscribed" | "expired" | "failed" | "recovered";
            /**
             * @description of an expired chain: the stream of the next expiry; null if none is listed
             * @example chain:NIFTY:2026-12-08
             */
            successor?: string | null;
        };
        /** @description The answer for several streams. */
        Statuses: {
            /** @description one entry a stream */
            streams: components["schemas"]["SubscriptionStatus"][];
        };
        /** @description The envelope of a success. */
        SubscribeSymbolAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer for several streams. */
            data: components["schemas"]["Statuses"];
        };
        /** @description The envelope of a success. */
        UnsubscribeSymbolAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer for several streams. */
            data: components["schemas"]["Statuses"];
        };
        /** @description subscribe_option_chain. */
        ChainSubscription: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: the nearest
             * @example 2026-12-01
             */
            expiry?: string | null;
            /**
             * @description delta for changes, full for the whole chain once a second
             * @default delta
             * @example delta
             * @enum {string}
             */
            mode?: "delta" | "full";
            /**
             * @description strikes on each side of the money; all when left out
             * @example 10
             * @enum {integer|null}
             */
            strikes?: 5 | 10 | 20 | 40 | null;
            /**
             * @description fields of each leg: all, quotes, greeks, positioning, or a list of their names
             * @default all
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
        };
        /** @description The envelope of a success. */
        SubscribeOptionChainAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description A subscription began, ended, its contracts expired, its stream fails, or works again. */
            data: components["schemas"]["SubscriptionStatus"];
        };
        /** @description unsubscribe_option_chain and unsubscribe_dashboard. */
        ChainEndEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: every one of the symbol
             * @example 2026-12-01
             */
            expiry?: string | null;
        };
        /** @description The envelope of a success. */
        UnsubscribeOptionChainAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer for several streams. */
            data: components["schemas"]["Statuses"];
        };
        /** @description get_dashboard_data and subscribe_dashboard. */
        ChainEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: the nearest
             * @example 2026-12-01
             */
            expiry?: string | null;
        };
        /** @description The envelope of a success. */
        SubscribeDashboardAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description A subscription began, ended, its contracts expired, its stream fails, or works again. */
            data: components["schemas"]["SubscriptionStatus"];
        };
        /** @description The envelope of a success. */
        UnsubscribeDashboardAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer for several streams. */
            data: components["schemas"]["Statuses"];
        };
        /** @description subscribe_candles and unsubscribe_candles. */
        CandleEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description length of a candle, by its short or its Kite name
             * @default 1m
             * @example 5m
             */
            interval?: components["schemas"]["IntervalOrAlias"];
        };
        /** @description The envelope of a success. */
        SubscribeCandlesAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description A subscription began, ended, its contracts expired, its stream fails, or works again. */
            data: components["schemas"]["SubscriptionStatus"];
        };
        /** @description The envelope of a success. */
        UnsubscribeCandlesAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description A subscription began, ended, its contracts expired, its stream fails, or works again. */
            data: components["schemas"]["SubscriptionStatus"];
        };
        /** @description get_option_chain. */
        ChainQueryEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: the nearest
             * @example 2026-12-01
             */
            expiry?: string | null;
            /**
             * @description strikes on each side of the money; all when left out
             * @example 10
             */
            strikes?: number | null;
            /**
             * @description fields of each leg: all, quotes, greeks, positioning, or a list of their names
             * @default all
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
        };
        /** @description What the figures rest on. */
        Coverage: {
            /**
             * @description strikes listed
             * @example 113
             */
            strikes: number;
            /**
             * @description legs with a price
             * @example 226
             */
            quoted: number;
            /**
             * @description legs whose price has a volatility
             * @example 226
             */
            iv_solved: number;
            /**
             * @description strikes the forward is read from
             * @example 14
             */
            forward_strikes: number;
            /**
             * @description how the forward was read
             * @example parity
             */
            forward_method: string;
        };
        /** @description One strike: call (ce_) and put (pe_). */
        ChainRow: {
            /**
             * @description strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description whether this is the listed strike nearest the spot
             * @example true
             */
            is_atm: boolean;
            /**
             * @description instrument token, Kite style
             * @example 343641346
             */
            ce_token?: number | null;
            /**
             * @description last traded price
             * @example 177.15
             */
            ce_ltp?: number | null;
            /**
             * @description last price less the previous close
             * @example 24.7
             */
            ce_change?: number | null;
            /**
             * @description the same in percent of the previous close
             * @example 16.2
             */
            ce_change_percent?: number | null;
            /**
             * @description best bid
             * @example 177.15
             */
            ce_bid_price?: number | null;
            /**
             * @description quantity at the best bid
             * @example 260
             */
            ce_bid_qty?: number | null;
            /**
             * @description best ask
             * @example 178
             */
            ce_ask_price?: number | null;
            /**
             * @description quantity at the best ask
             * @example 390
             */
            ce_ask_qty?: number | null;
            /**
             * @description traded today
             * @example 17073
             */
            ce_volume?: number | null;
            /**
             * @description open interest
             * @example 12251
             */
            ce_oi?: number | null;
            /**
             * @description open interest less that of the previous close
             * @example -1635
             */
            ce_oi_change?: number | null;
            /**
             * @description the same in percent of the previous open interest
             * @example -11.77
             */
            ce_oi_change_percent?: number | null;
            /**
             * @description implied volatility from the parity forward
             * @example 11.68
             */
            ce_iv?: number | null;
            /**
             * @description per rupee of the underlying
             * @example 0.5404
             */
            ce_delta?: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            ce_gamma?: number | null;
            /**
             * @description time decay
             * @example -9.568
             */
            ce_theta?: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            ce_vega?: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.04
             */
            ce_rho?: number | null;
            /**
             * @description value if exercised at the spot
             * @example 0
             */
            ce_intrinsic?: number | null;
            /**
             * @description last price less intrinsic value
             * @example 177.15
             */
            ce_time_val?: number | null;
            /**
             * @description first price of the day
             * @example 137.05
             */
            ce_open?: number | null;
            /**
             * @description highest price of the day
             * @example 298.5
             */
            ce_high?: number | null;
            /**
             * @description lowest price of the day
             * @example 131.05
             */
            ce_low?: number | null;
            /**
             * @description close of the previous session
             * @example 152.45
             */
            ce_prev_close?: number | null;
            /**
             * @description price and open interest together
             * @example short_covering
             */
            ce_build_up?: components["schemas"]["BuildUp"] | null;
            /**
             * @description instrument token, Kite style
             * @example 343641090
             */
            pe_token?: number | null;
            /**
             * @description last traded price
             * @example 141.6
             */
            pe_ltp?: number | null;
            /**
             * @description last price less the previous close
             * @example -42.95
             */
            pe_change?: number | null;
            /**
             * @description the same in percent of the previous close
             * @example -23.27
             */
            pe_change_percent?: number | null;
            /**
             * @description best bid
             * @example 141
             */
            pe_bid_price?: number | null;
            /**
             * @description quantity at the best bid
             * @example 650
             */
            pe_bid_qty?: number | null;
            /**
             * @description best ask
             * @example 141.6
             */
            pe_ask_price?: number | null;
            /**
             * @description quantity at the best ask
             * @example 260
             */
            pe_ask_qty?: number | null;
            /**
             * @description traded today
             * @example 22232
             */
            pe_volume?: number | null;
            /**
             * @description open interest
             * @example 15648
             */
            pe_oi?: number | null;
            /**
             * @description open interest less that of the previous close
             * @example 1164
             */
            pe_oi_change?: number | null;
            /**
             * @description the same in percent of the previous open interest
             * @example 8.04
             */
            pe_oi_change_percent?: number | null;
            /**
             * @description implied volatility from the parity forward
             * @example 11.68
             */
            pe_iv?: number | null;
            /**
             * @description per rupee of the underlying
             * @example -0.4607
             */
            pe_delta?: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            pe_gamma?: number | null;
            /**
             * @description time decay
             * @example -9.574
             */
            pe_theta?: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            pe_vega?: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.032
             */
            pe_rho?: number | null;
            /**
             * @description value if exercised at the spot
             * @example 20.9
             */
            pe_intrinsic?: number | null;
            /**
             * @description last price less intrinsic value
             * @example 120.7
             */
            pe_time_val?: number | null;
            /**
             * @description first price of the day
             * @example 180.15
             */
            pe_open?: number | null;
            /**
             * @description highest price of the day
             * @example 187.25
             */
            pe_high?: number | null;
            /**
             * @description lowest price of the day
             * @example 78.35
             */
            pe_low?: number | null;
            /**
             * @description close of the previous session
             * @example 184.55
             */
            pe_prev_close?: number | null;
            /**
             * @description price and open interest together
             * @example short_build_up
             */
            pe_build_up?: components["schemas"]["BuildUp"] | null;
        };
        /** @description A whole chain: header, totals, and a row for each strike. */
        Chain: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume: number | null;
            /**
             * @description open interest of puts per call; null without calls
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description volume of puts per call; null without calls
             * @example 0.7564
             */
            pcr_volume: number | null;
            /**
             * @description strike at which option buyers are paid least; lowest on ties
             * @example 22900
             */
            max_pain: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * Format: date-time
             * @description instant at which the contracts expire
             * @example 2026-12-01T10:10:00.000Z
             */
            expires_at: string;
            /**
             * @description days until the expiry day, on the exchange's calendar
             * @example 8
             */
            days_to_expiry: number;
            /**
             * @description units in a contract; null where it is not known
             * @example 65
             */
            lot_size: number | null;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description forward of this expiry from put-call parity
             * @example 22736.34
             */
            forward: number | null;
            /**
             * @description rate that discounts
             * @example 0.065
             */
            interest_rate: number;
            /**
             * @description listed strike nearest the spot, the lower on a tie
             * @example 22700
             */
            atm_strike: number | null;
            /**
             * Format: date-time
             * @description the same as as_of
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the figures rest on */
            coverage: components["schemas"]["Coverage"];
            /** @description a row for each strike, ascending */
            option_chain: components["schemas"]["ChainRow"][];
        };
        /** @description The envelope of a success. */
        GetOptionChainAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description A whole chain: header, totals, and a row for each strike. */
            data: components["schemas"]["Chain"];
        };
        /** @description One point of the max-pain curve. */
        Pain: {
            /**
             * @description settlement at this strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description what holders of all options would be paid
             * @example 1033035000
             */
            payout: number;
        };
        /** @description A strike with much open interest. */
        Wall: {
            /**
             * @description strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description open interest
             * @example 12251
             */
            oi: number;
        };
        /** @description Where the underlying is expected to be at expiry. */
        Range: {
            /**
             * @description one standard deviation below the forward
             * @example 22586.95
             */
            low: number | null;
            /**
             * @description one standard deviation above the forward
             * @example 22863
             */
            high: number | null;
        };
        /** @description Gamma exposure of one strike. */
        StrikeExposure: {
            /**
             * @description strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description calls less puts
             * @example -1556473.98
             */
            exposure: number | null;
        };
        /** @description Gamma exposure of an expiry. */
        Exposure: {
            /**
             * @description which side counts plus
             * @example dealers are taken to be long calls and short puts: calls count plus, puts minus
             */
            convention: string;
            /**
             * @description calls less puts
             * @example 1204
             */
            total: number | null;
            /**
             * @description calls and puts
             * @example 166421579517.83
             */
            unsigned_total: number | null;
            /**
             * @description legs it rests on
             * @example 226
             */
            legs: number;
            /** @description strikes ascending */
            by_strike: components["schemas"]["StrikeExposure"][];
        };
        /** @description A word, and the numbers it rests on. */
        Sentiment: {
            /**
             * @description what they come to
             * @example bullish
             */
            word: components["schemas"]["SentimentWord"] | null;
            /**
             * @description votes of the three figures, -3 to 3
             * @example 2
             */
            score: number;
            /**
             * @description put-call ratio of open interest
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description the underlying's move today
             * @example 0.35
             */
            change_percent: number | null;
            /**
             * @description max pain above (+) or below (-) the spot
             * @example 0.98
             */
            max_pain_distance_percent: number | null;
        };
        /** @description Figures of one expiry. */
        Dashboard: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume: number | null;
            /**
             * @description open interest of puts per call; null without calls
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description volume of puts per call; null without calls
             * @example 0.7564
             */
            pcr_volume: number | null;
            /**
             * @description strike at which option buyers are paid least; lowest on ties
             * @example 22900
             */
            max_pain: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description listed strike nearest the spot
             * @example 22700
             */
            atm_strike: number | null;
            /**
             * @description put-call ratio of the change of open interest
             * @example -1.8077
             */
            pcr_oi_change: number | null;
            /** @description what holders would be paid, by settlement */
            max_pain_curve: components["schemas"]["Pain"][];
            /** @description the three strikes with most put open interest */
            support: components["schemas"]["Wall"][];
            /** @description the three strikes with most call open interest */
            resistance: components["schemas"]["Wall"][];
            /**
             * @description volatility at the forward
             * @example 11.64
             */
            atm_iv: number | null;
            /**
             * @description 25-delta put less 25-delta call
             * @example 0.48
             */
            iv_skew: number | null;
            /**
             * @description volatility at the forward of the first month more than 4 days away
             * @example 11.94
             */
            near_month_iv: number | null;
            /**
             * @description place of near_month_iv between the lowest and highest of the past sessions
             * @example 31.2
             */
            iv_rank: number | null;
            /**
             * @description share of the past sessions with a lower near_month_iv
             * @example 38.4
             */
            iv_percentile: number | null;
            /**
             * @description sessions the rank rests on; null before 20
             * @example 250
             */
            iv_days: number;
            /**
             * @description call plus put of the listed strike nearest the forward
             * @example 316.6
             */
            straddle_price: number | null;
            /**
             * @description one standard deviation to expiry
             * @example 397.54
             */
            expected_move: number | null;
            /** @description one standard deviation around the forward */
            expected_range: components["schemas"]["Range"];
            /** @description what dealers must trade as the underlying moves */
            gamma_exposure: components["schemas"]["Exposure"];
            /**
             * @description price at which the net gamma exposure changes sign
             * @example 22688.69
             */
            zero_gamma: number | null;
            /**
             * @description forward of the expiry
             * @example 22736.34
             */
            forward: number | null;
            /**
             * @description forward less spot
             * @example 57.24
             */
            basis: number | null;
            /**
             * @description 30-day index by the India VIX method
             * @example 12.82
             */
            volatility_index: number | null;
            /** @description a word, and the numbers it rests on */
            sentiment: components["schemas"]["Sentiment"];
            /** @description what the figures rest on */
            coverage: components["schemas"]["Coverage"];
            /**
             * Format: date-time
             * @description the same as as_of
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
        };
        /** @description The envelope of a success. */
        GetDashboardDataAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description Figures of one expiry. */
            data: components["schemas"]["Dashboard"];
        };
        /** @description get_market_status. */
        StatusEvent: {
            /**
             * @description exchanges, separated by commas, in any case; all when left out
             * @example NSE,MCX
             */
            exchange?: string | null;
        };
        /** @description The trading phase of one exchange. */
        ExchangePhase: {
            /**
             * @description exchange
             * @example NFO
             */
            exchange: components["schemas"]["Exchange"];
            /**
             * @description trading phase
             * @example open
             */
            phase: components["schemas"]["Phase"];
            /**
             * @description whether it trades now
             * @example true
             */
            is_open: boolean;
            /**
             * Format: date-time
             * @description when this phase began
             * @example 2026-11-23T03:45:00.000Z
             */
            since: string;
            /**
             * @description the phase that follows
             * @example closed
             */
            next_phase: components["schemas"]["Phase"];
            /**
             * Format: date-time
             * @description when it ends
             * @example 2026-11-23T10:10:00.000Z
             */
            next_change: string;
            /**
             * @description name of the holiday or special session; null on an ordinary day
             * @example Guru Nanak Jayanti
             */
            holiday: string | null;
            /**
             * @description state of the feed
             * @example live
             */
            feed: components["schemas"]["FeedState"];
        };
        /** @description /api/market-status: the default exchange's phase, and each one's. */
        MarketStatus: {
            /**
             * @description exchange
             * @example NFO
             */
            exchange: components["schemas"]["Exchange"];
            /**
             * @description trading phase
             * @example open
             */
            phase: components["schemas"]["Phase"];
            /**
             * @description whether it trades now
             * @example true
             */
            is_open: boolean;
            /**
             * Format: date-time
             * @description when this phase began
             * @example 2026-11-23T03:45:00.000Z
             */
            since: string;
            /**
             * @description the phase that follows
             * @example closed
             */
            next_phase: components["schemas"]["Phase"];
            /**
             * Format: date-time
             * @description when it ends
             * @example 2026-11-23T10:10:00.000Z
             */
            next_change: string;
            /**
             * @description name of the holiday or special session; null on an ordinary day
             * @example Guru Nanak Jayanti
             */
            holiday: string | null;
            /**
             * @description state of the feed
             * @example live
             */
            feed: components["schemas"]["FeedState"];
            /** @description each exchange asked for */
            exchanges: components["schemas"]["ExchangePhase"][];
            /**
             * @description always: the feed moves round the clock; exchange: in sessions
             * @example always
             */
            hours: components["schemas"]["MarketHours"];
            /**
             * @description where prices come from: simulated, replay, kite, dhan or relay
             * @example simulated
             */
            source: components["schemas"]["Source"];
        };
        /** @description The envelope of a success. */
        GetMarketStatusAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description /api/market-status: the default exchange's phase, and each one's. */
            data: components["schemas"]["MarketStatus"];
        };
        /** @description An event without a payload. */
        NoPayload: Record<string, never>;
        /** @description A stream that is followed, and where its subscriber stands. */
        Subscription: {
            /**
             * @description name of a stream: kind, symbol, and expiry or interval
             * @example chain:NIFTY:2026-12-01
             */
            stream: string;
            /**
             * @description changes when the feed starts afresh; sequence numbers count within it
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change of the stream
             * @example 16
             */
            seq: number;
            /**
             * @description chains: delta or full
             * @example delta
             * @enum {string}
             */
            mode?: "delta" | "full";
            /**
             * @description chains: strikes on each side of the money; null for all
             * @example 10
             */
            strikes?: number | null;
            /**
             * @description chains: the fields of each leg, as a set's name or a list
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
            /**
             * @description chains and dashboards: whether it goes over to the next expiry when this one has passed, as a subscription without expiry does
             * @example true
             */
            rolls?: boolean;
        };
        /** @description The answer to list_subscriptions. */
        Subscriptions: {
            /** @description what this client follows, and where it stands */
            subscriptions: components["schemas"]["Subscription"][];
        };
        /** @description The envelope of a success. */
        ListSubscriptionsAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to list_subscriptions. */
            data: components["schemas"]["Subscriptions"];
        };
        /** @description subscribe_alert. */
        AlertEvent: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: the nearest
             * @example 2026-12-01
             */
            expiry?: string | null;
            /**
             * @description whose open interest; left out: the strike at the money now
             * @example 22700
             */
            strike?: number | null;
            /**
             * @description what is watched
             * @example spot_price
             */
            field: components["schemas"]["AlertField"];
            /**
             * @description when it fires
             * @example above
             */
            op: components["schemas"]["AlertOp"];
            /**
             * @description threshold
             * @example 22500
             */
            value: number;
            /**
             * @description how far back the figure must go; left out: a thousandth of the threshold
             * @example 22.5
             */
            hysteresis?: number | null;
            /**
             * @description whether it may fire again, once the figure was back by the hysteresis
             * @default false
             * @example true
             */
            repeat?: boolean;
        };
        /** @description The answer to subscribe_alert: the figure as it is now beside it. */
        Watched: {
            /**
             * @description names it on this connection
             * @example a1
             */
            alert_id: string;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description of the contracts it is about; null with spot_price
             * @example 2026-12-01
             */
            expiry: string | null;
            /**
             * @description whose open interest is watched; null with other figures
             * @example 22700
             */
            strike: number | null;
            /**
             * @description what is watched
             * @example spot_price
             */
            field: components["schemas"]["AlertField"];
            /**
             * @description when it fires
             * @example above
             */
            op: components["schemas"]["AlertOp"];
            /**
             * @description value asked for
             * @example 22500
             */
            threshold: number;
            /**
             * @description how far back the figure must go before it fires again
             * @example 22.5
             */
            hysteresis: number;
            /**
             * @description whether it may fire again
             * @example false
             */
            repeat: boolean;
            /**
             * @description the figure; null where it is not known
             * @example 22612.4
             */
            value: number | null;
            /**
             * Format: date-time
             * @description time of its newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
        };
        /** @description The envelope of a success. */
        SubscribeAlertAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to subscribe_alert: the figure as it is now beside it. */
            data: components["schemas"]["Watched"];
        };
        /** @description unsubscribe_alert. */
        AlertEndEvent: {
            /**
             * @description as subscribe_alert answered it
             * @example a1
             */
            alert_id: string;
        };
        /** @description The answer to unsubscribe_alert. */
        RemovedAlert: {
            /**
             * @description which was asked to end
             * @example a1
             */
            alert_id: string;
            /**
             * @description false where there was none, as after it fired
             * @example true
             */
            removed: boolean;
        };
        /** @description The envelope of a success. */
        UnsubscribeAlertAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to unsubscribe_alert. */
            data: components["schemas"]["RemovedAlert"];
        };
        /** @description An alert as it was asked for. */
        Alert: {
            /**
             * @description names it on this connection
             * @example a1
             */
            alert_id: string;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description of the contracts it is about; null with spot_price
             * @example 2026-12-01
             */
            expiry: string | null;
            /**
             * @description whose open interest is watched; null with other figures
             * @example 22700
             */
            strike: number | null;
            /**
             * @description what is watched
             * @example spot_price
             */
            field: components["schemas"]["AlertField"];
            /**
             * @description when it fires
             * @example above
             */
            op: components["schemas"]["AlertOp"];
            /**
             * @description value asked for
             * @example 22500
             */
            threshold: number;
            /**
             * @description how far back the figure must go before it fires again
             * @example 22.5
             */
            hysteresis: number;
            /**
             * @description whether it may fire again
             * @example false
             */
            repeat: boolean;
        };
        /** @description The answer to list_alerts. */
        Alerts: {
            /** @description in the order they were asked for */
            alerts: components["schemas"]["Alert"][];
        };
        /** @description The envelope of a success. */
        ListAlertsAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to list_alerts. */
            data: components["schemas"]["Alerts"];
        };
        /** @description One stream of resume. */
        StreamPosition: {
            /**
             * @description name of a stream: kind, symbol, and expiry or interval
             * @example chain:NIFTY:2026-12-01
             */
            stream: string;
            /**
             * @description changes when the feed starts afresh; sequence numbers count within it
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change of the stream
             * @example 16
             */
            seq: number;
            /**
             * @description delta for changes, full for the whole chain once a second
             * @default delta
             * @example delta
             * @enum {string}
             */
            mode?: "delta" | "full";
            /**
             * @description strikes on each side of the money; all when left out
             * @example 10
             * @enum {integer|null}
             */
            strikes?: 5 | 10 | 20 | 40 | null;
            /**
             * @description whether to go over to the next expiry once this one has passed
             * @default false
             * @example true
             */
            rolls?: boolean;
            /**
             * @description fields of each leg: all, quotes, greeks, positioning, or a list of their names
             * @default all
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
        };
        /** @description resume. */
        ResumeEvent: {
            /** @description where you stood in each stream */
            streams: components["schemas"]["StreamPosition"][];
        };
        /** @description Where a resumed stream stands. */
        Recovery: {
            /**
             * @description name of a stream: kind, symbol, and expiry or interval
             * @example chain:NIFTY:2026-12-01
             */
            stream: string;
            /**
             * @description null where nothing is followed
             * @example sim-2a-1a206ab0140
             */
            epoch: string | null;
            /**
             * @description null where nothing is followed
             * @example 16
             */
            seq: number | null;
            /**
             * @description true: what was missed was sent as one delta, or nothing was; false: a snapshot was sent
             * @example true
             */
            recovered: boolean;
            /**
             * @description the stream that was asked for, where its contracts have expired
             * @example chain:NIFTY:2026-12-01
             */
            expired?: string;
        };
        /** @description The answer to resume. */
        Recoveries: {
            /** @description one entry a stream */
            streams: components["schemas"]["Recovery"][];
        };
        /** @description The envelope of a success. */
        ResumeAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to resume. */
            data: components["schemas"]["Recoveries"];
        };
        /** @description The answer to ping. */
        Pong: {
            /**
             * Format: date-time
             * @description time of the market's clock
             * @example 2026-11-23T04:30:07.500Z
             */
            server_time: string;
            /**
             * @description what the client sent with the event
             * @example {
             *       "n": 1
             *     }
             */
            sent: unknown;
        };
        /** @description The envelope of a success. */
        PingAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description The answer to ping. */
            data: components["schemas"]["Pong"];
        };
        /** @description What one client may take. */
        ClientLimits: {
            /**
             * @description followed at once
             * @example 64
             */
            max_subscriptions: number;
            /**
             * @description on average
             * @example 20
             */
            max_events_per_second: number;
            /**
             * @description of one message
             * @example 16384
             */
            max_message_bytes: number;
            /**
             * @description without reading, then the socket is closed
             * @example 20
             */
            slow_client_timeout_s: number;
        };
        /** @description Once connected. */
        ConnectionStatus: {
            /**
             * @description that it is connected
             * @example connected
             * @enum {string}
             */
            status: "connected";
            /**
             * @description the connection's id
             * @example Yl3r8GzvOaU9kQmWAAAB
             */
            client_id: string;
            /**
             * Format: date-time
             * @description time of the market's clock
             * @example 2026-11-23T04:30:07.500Z
             */
            server_time: string;
            /**
             * @description version of the server
             * @example 0.1.0
             */
            version: string;
            /**
             * @description where prices come from: simulated, replay, kite, dhan or relay
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * @description changes when the feed starts afresh; sequence numbers count within it
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /** @description what one client may take */
            limits: components["schemas"]["ClientLimits"];
        };
        /** @description The whole quote, as REST gives it. */
        SymbolSnapshot: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description last price
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description last price less the previous close
             * @example 79.1
             */
            change: number | null;
            /**
             * @description the same in percent of the previous close
             * @example 0.35
             */
            change_percent: number | null;
            /**
             * @description first price of the day
             * @example 22600
             */
            open: number | null;
            /**
             * @description highest price of the day
             * @example 22863
             */
            high: number | null;
            /**
             * @description lowest price of the day
             * @example 22586.95
             */
            low: number | null;
            /**
             * @description close of the previous session
             * @example 22600
             */
            previous_close: number | null;
            /**
             * @description traded today
             * @example 68581025
             */
            volume: number | null;
            /**
             * @description replace what you hold
             * @example snapshot
             * @enum {string}
             */
            kind: "snapshot";
            /**
             * @description why it comes unasked: the delta was not to be had, it would have been longer, or the expiry before this one has passed
             * @example resync
             * @enum {string}
             */
            reason?: "resync" | "conflated" | "expired";
        };
        /** @description What changed in a quote; without any other field, a sign of life. */
        SymbolDelta: {
            /**
             * @description the state this applies to: apply it only if this is your seq
             * @example 15
             */
            prev_seq: number;
            /**
             * @description published changes merged into this one; absent for one
             * @example 4
             */
            conflated?: number;
            /**
             * @description where prices come from
             * @example simulated
             */
            source?: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale?: boolean;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description last price
             * @example 22679.1
             */
            spot_price?: number | null;
            /**
             * @description last price less the previous close
             * @example 79.1
             */
            change?: number | null;
            /**
             * @description the same in percent of the previous close
             * @example 0.35
             */
            change_percent?: number | null;
            /**
             * @description first price of the day
             * @example 22600
             */
            open?: number | null;
            /**
             * @description highest price of the day
             * @example 22863
             */
            high?: number | null;
            /**
             * @description lowest price of the day
             * @example 22586.95
             */
            low?: number | null;
            /**
             * @description close of the previous session
             * @example 22600
             */
            previous_close?: number | null;
            /**
             * @description traded today
             * @example 68581025
             */
            volume?: number | null;
            /**
             * @description assign what is here
             * @example delta
             * @enum {string}
             */
            kind: "delta";
        };
        /** @description The whole chain, as REST gives it. */
        ChainSnapshot: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume: number | null;
            /**
             * @description open interest of puts per call; null without calls
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description volume of puts per call; null without calls
             * @example 0.7564
             */
            pcr_volume: number | null;
            /**
             * @description strike at which option buyers are paid least; lowest on ties
             * @example 22900
             */
            max_pain: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * Format: date-time
             * @description instant at which the contracts expire
             * @example 2026-12-01T10:10:00.000Z
             */
            expires_at: string;
            /**
             * @description days until the expiry day, on the exchange's calendar
             * @example 8
             */
            days_to_expiry: number;
            /**
             * @description units in a contract; null where it is not known
             * @example 65
             */
            lot_size: number | null;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description forward of this expiry from put-call parity
             * @example 22736.34
             */
            forward: number | null;
            /**
             * @description rate that discounts
             * @example 0.065
             */
            interest_rate: number;
            /**
             * @description listed strike nearest the spot, the lower on a tie
             * @example 22700
             */
            atm_strike: number | null;
            /**
             * Format: date-time
             * @description the same as as_of
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the figures rest on */
            coverage: components["schemas"]["Coverage"];
            /** @description a row for each strike, ascending */
            option_chain: components["schemas"]["ChainRow"][];
            /**
             * @description why it comes unasked: the delta was not to be had, it would have been longer, or the expiry before this one has passed
             * @example resync
             * @enum {string}
             */
            reason?: "resync" | "conflated" | "expired";
        };
        /** @description A strike, and those of its fields that changed. */
        ChainRowDelta: {
            /**
             * @description strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description whether this is the listed strike nearest the spot
             * @example true
             */
            is_atm?: boolean;
            /**
             * @description instrument token, Kite style
             * @example 343641346
             */
            ce_token?: number | null;
            /**
             * @description last traded price
             * @example 177.15
             */
            ce_ltp?: number | null;
            /**
             * @description last price less the previous close
             * @example 24.7
             */
            ce_change?: number | null;
            /**
             * @description the same in percent of the previous close
             * @example 16.2
             */
            ce_change_percent?: number | null;
            /**
             * @description best bid
             * @example 177.15
             */
            ce_bid_price?: number | null;
            /**
             * @description quantity at the best bid
             * @example 260
             */
            ce_bid_qty?: number | null;
            /**
             * @description best ask
             * @example 178
             */
            ce_ask_price?: number | null;
            /**
             * @description quantity at the best ask
             * @example 390
             */
            ce_ask_qty?: number | null;
            /**
             * @description traded today
             * @example 17073
             */
            ce_volume?: number | null;
            /**
             * @description open interest
             * @example 12251
             */
            ce_oi?: number | null;
            /**
             * @description open interest less that of the previous close
             * @example -1635
             */
            ce_oi_change?: number | null;
            /**
             * @description the same in percent of the previous open interest
             * @example -11.77
             */
            ce_oi_change_percent?: number | null;
            /**
             * @description implied volatility from the parity forward
             * @example 11.68
             */
            ce_iv?: number | null;
            /**
             * @description per rupee of the underlying
             * @example 0.5404
             */
            ce_delta?: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            ce_gamma?: number | null;
            /**
             * @description time decay
             * @example -9.568
             */
            ce_theta?: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            ce_vega?: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.04
             */
            ce_rho?: number | null;
            /**
             * @description value if exercised at the spot
             * @example 0
             */
            ce_intrinsic?: number | null;
            /**
             * @description last price less intrinsic value
             * @example 177.15
             */
            ce_time_val?: number | null;
            /**
             * @description first price of the day
             * @example 137.05
             */
            ce_open?: number | null;
            /**
             * @description highest price of the day
             * @example 298.5
             */
            ce_high?: number | null;
            /**
             * @description lowest price of the day
             * @example 131.05
             */
            ce_low?: number | null;
            /**
             * @description close of the previous session
             * @example 152.45
             */
            ce_prev_close?: number | null;
            /**
             * @description price and open interest together
             * @example short_covering
             */
            ce_build_up?: components["schemas"]["BuildUp"] | null;
            /**
             * @description instrument token, Kite style
             * @example 343641090
             */
            pe_token?: number | null;
            /**
             * @description last traded price
             * @example 141.6
             */
            pe_ltp?: number | null;
            /**
             * @description last price less the previous close
             * @example -42.95
             */
            pe_change?: number | null;
            /**
             * @description the same in percent of the previous close
             * @example -23.27
             */
            pe_change_percent?: number | null;
            /**
             * @description best bid
             * @example 141
             */
            pe_bid_price?: number | null;
            /**
             * @description quantity at the best bid
             * @example 650
             */
            pe_bid_qty?: number | null;
            /**
             * @description best ask
             * @example 141.6
             */
            pe_ask_price?: number | null;
            /**
             * @description quantity at the best ask
             * @example 260
             */
            pe_ask_qty?: number | null;
            /**
             * @description traded today
             * @example 22232
             */
            pe_volume?: number | null;
            /**
             * @description open interest
             * @example 15648
             */
            pe_oi?: number | null;
            /**
             * @description open interest less that of the previous close
             * @example 1164
             */
            pe_oi_change?: number | null;
            /**
             * @description the same in percent of the previous open interest
             * @example 8.04
             */
            pe_oi_change_percent?: number | null;
            /**
             * @description implied volatility from the parity forward
             * @example 11.68
             */
            pe_iv?: number | null;
            /**
             * @description per rupee of the underlying
             * @example -0.4607
             */
            pe_delta?: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            pe_gamma?: number | null;
            /**
             * @description time decay
             * @example -9.574
             */
            pe_theta?: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            pe_vega?: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.032
             */
            pe_rho?: number | null;
            /**
             * @description value if exercised at the spot
             * @example 20.9
             */
            pe_intrinsic?: number | null;
            /**
             * @description last price less intrinsic value
             * @example 120.7
             */
            pe_time_val?: number | null;
            /**
             * @description first price of the day
             * @example 180.15
             */
            pe_open?: number | null;
            /**
             * @description highest price of the day
             * @example 187.25
             */
            pe_high?: number | null;
            /**
             * @description lowest price of the day
             * @example 78.35
             */
            pe_low?: number | null;
            /**
             * @description close of the previous session
             * @example 184.55
             */
            pe_prev_close?: number | null;
            /**
             * @description price and open interest together
             * @example short_build_up
             */
            pe_build_up?: components["schemas"]["BuildUp"] | null;
        };
        /** @description What changed in a chain; without rows and other fields, a sign of life. */
        ChainDelta: {
            /**
             * @description the state this applies to: apply it only if this is your seq
             * @example 15
             */
            prev_seq: number;
            /**
             * @description published changes merged into this one; absent for one
             * @example 4
             */
            conflated?: number;
            /**
             * @description where prices come from
             * @example simulated
             */
            source?: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale?: boolean;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi?: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi?: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change?: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change?: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume?: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume?: number | null;
            /**
             * @description open interest of puts per call; null without calls
             * @example 0.8352
             */
            pcr_oi?: number | null;
            /**
             * @description volume of puts per call; null without calls
             * @example 0.7564
             */
            pcr_volume?: number | null;
            /**
             * @description strike at which option buyers are paid least; lowest on ties
             * @example 22900
             */
            max_pain?: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * Format: date-time
             * @description instant at which the contracts expire
             * @example 2026-12-01T10:10:00.000Z
             */
            expires_at?: string;
            /**
             * @description days until the expiry day, on the exchange's calendar
             * @example 8
             */
            days_to_expiry?: number;
            /**
             * @description units in a contract; null where it is not known
             * @example 65
             */
            lot_size?: number | null;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price?: number | null;
            /**
             * @description forward of this expiry from put-call parity
             * @example 22736.34
             */
            forward?: number | null;
            /**
             * @description rate that discounts
             * @example 0.065
             */
            interest_rate?: number;
            /**
             * @description listed strike nearest the spot, the lower on a tie
             * @example 22700
             */
            atm_strike?: number | null;
            /**
             * Format: date-time
             * @description the same as as_of
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp?: string;
            /** @description what the figures rest on */
            coverage?: components["schemas"]["Coverage"];
            /** @description strikes with a change: strike_price and the changed fields */
            rows?: components["schemas"]["ChainRowDelta"][];
            /**
             * @description strikes that left the window: delete them
             * @example [
             *       22150
             *     ]
             */
            removed?: number[];
        };
        /** @description The figures of an expiry, as REST gives them. */
        DashboardUpdate: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume: number | null;
            /**
             * @description open interest of puts per call; null without calls
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description volume of puts per call; null without calls
             * @example 0.7564
             */
            pcr_volume: number | null;
            /**
             * @description strike at which option buyers are paid least; lowest on ties
             * @example 22900
             */
            max_pain: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description listed strike nearest the spot
             * @example 22700
             */
            atm_strike: number | null;
            /**
             * @description put-call ratio of the change of open interest
             * @example -1.8077
             */
            pcr_oi_change: number | null;
            /** @description what holders would be paid, by settlement */
            max_pain_curve: components["schemas"]["Pain"][];
            /** @description the three strikes with most put open interest */
            support: components["schemas"]["Wall"][];
            /** @description the three strikes with most call open interest */
            resistance: components["schemas"]["Wall"][];
            /**
             * @description volatility at the forward
             * @example 11.64
             */
            atm_iv: number | null;
            /**
             * @description 25-delta put less 25-delta call
             * @example 0.48
             */
            iv_skew: number | null;
            /**
             * @description volatility at the forward of the first month more than 4 days away
             * @example 11.94
             */
            near_month_iv: number | null;
            /**
             * @description place of near_month_iv between the lowest and highest of the past sessions
             * @example 31.2
             */
            iv_rank: number | null;
            /**
             * @description share of the past sessions with a lower near_month_iv
             * @example 38.4
             */
            iv_percentile: number | null;
            /**
             * @description sessions the rank rests on; null before 20
             * @example 250
             */
            iv_days: number;
            /**
             * @description call plus put of the listed strike nearest the forward
             * @example 316.6
             */
            straddle_price: number | null;
            /**
             * @description one standard deviation to expiry
             * @example 397.54
             */
            expected_move: number | null;
            /** @description one standard deviation around the forward */
            expected_range: components["schemas"]["Range"];
            /** @description what dealers must trade as the underlying moves */
            gamma_exposure: components["schemas"]["Exposure"];
            /**
             * @description price at which the net gamma exposure changes sign
             * @example 22688.69
             */
            zero_gamma: number | null;
            /**
             * @description forward of the expiry
             * @example 22736.34
             */
            forward: number | null;
            /**
             * @description forward less spot
             * @example 57.24
             */
            basis: number | null;
            /**
             * @description 30-day index by the India VIX method
             * @example 12.82
             */
            volatility_index: number | null;
            /** @description a word, and the numbers it rests on */
            sentiment: components["schemas"]["Sentiment"];
            /** @description what the figures rest on */
            coverage: components["schemas"]["Coverage"];
            /**
             * Format: date-time
             * @description the same as as_of
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /**
             * @description why it comes unasked: the delta was not to be had, it would have been longer, or the expiry before this one has passed
             * @example resync
             * @enum {string}
             */
            reason?: "resync" | "conflated" | "expired";
        };
        /** @description candle_update: the forming candle, and once more when it is final. */
        CandleUpdate: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * Format: date-time
             * @description first instant of the candle
             * @example 2026-11-23T04:30:00.000Z
             */
            date: string;
            /**
             * @description first price
             * @example 22600
             */
            open: number;
            /**
             * @description highest price
             * @example 22863
             */
            high: number;
            /**
             * @description lowest price
             * @example 22586.95
             */
            low: number;
            /**
             * @description last price
             * @example 22678.8
             */
            close: number;
            /**
             * @description traded within the candle
             * @example 68581025
             */
            volume: number | null;
            /**
             * @description open interest at its end
             * @example 12251
             */
            oi: number | null;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description length of a candle
             * @example 5m
             */
            interval: components["schemas"]["Interval"];
            /**
             * @description whether the candle is final
             * @example false
             */
            closed: boolean;
        };
        /** @description An alert fires, or ends because its contracts expired. */
        Fired: {
            /**
             * @description names it on this connection
             * @example a1
             */
            alert_id: string;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description of the contracts it is about; null with spot_price
             * @example 2026-12-01
             */
            expiry: string | null;
            /**
             * @description whose open interest is watched; null with other figures
             * @example 22700
             */
            strike: number | null;
            /**
             * @description what is watched
             * @example spot_price
             */
            field: components["schemas"]["AlertField"];
            /**
             * @description when it fires
             * @example above
             */
            op: components["schemas"]["AlertOp"];
            /**
             * @description value asked for
             * @example 22500
             */
            threshold: number;
            /**
             * @description how far back the figure must go before it fires again
             * @example 22.5
             */
            hysteresis: number;
            /**
             * @description whether it may fire again
             * @example false
             */
            repeat: boolean;
            /**
             * @description the figure; null where it is not known
             * @example 22612.4
             */
            value: number | null;
            /**
             * Format: date-time
             * @description time of its newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description what became of it
             * @example fired
             * @enum {string}
             */
            status: "fired" | "ended";
        };
        /** @description What is the matter with a broker's feed, and what the operator must do. */
        Problem: {
            /**
             * @description what kind of trouble
             * @example login_required
             */
            kind: components["schemas"]["ProblemKind"];
            /**
             * @description a sentence for a person
             * @example Kite needs today's login: run `python server.py login`.
             */
            message: string;
            /**
             * Format: date-time
             * @description when it began
             * @example 2026-11-23T00:32:00.000Z
             */
            since: string;
            /**
             * Format: date-time
             * @description when it is over or tried again; null where nobody knows
             * @example 2026-11-23T00:32:30.000Z
             */
            until: string | null;
        };
        /** @description The state of the feed changed, or a silent one was restarted. */
        FeedStatus: {
            /**
             * @description state of the feed
             * @example live
             */
            state: components["schemas"]["FeedState"];
            /**
             * @description why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description since the feed was last live
             * @example 0
             */
            restarts: number;
            /**
             * Format: date-time
             * @description when a silent feed is restarted next; null where it need not be
             * @example 2026-11-23T04:30:08.500Z
             */
            next_try_at: string | null;
            /** @description what is the matter with a broker's feed; null where nothing is */
            problem: components["schemas"]["Problem"] | null;
            /**
             * @description where prices come from: simulated, replay, kite, dhan or relay
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * @description changes when the feed starts afresh; sequence numbers count within it
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description scenario of a simulated market, null of any other
             * @example calm
             */
            scenario: string | null;
            /**
             * Format: date-time
             * @description time of the market's clock
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
        };
        /** @description VALIDATION_ERROR: a parameter is missing, unknown, malformed or out of range. */
        ValidationErrorEvent: {
            /**
             * @description a parameter is missing, unknown, malformed or out of range
             * @example VALIDATION_ERROR
             * @enum {string}
             */
            code: "VALIDATION_ERROR";
            /**
             * @description a sentence for a person
             * @example strikes must be a whole number from 1 to 1000, was '0'.
             */
            message: string;
            /**
             * @description by field, what is wrong with it
             * @example {
             *       "strikes": [
             *         "must be a whole number from 1 to 1000, was '0'"
             *       ]
             *     }
             */
            details: {
                [key: string]: string[];
            };
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description PAYLOAD_TOO_LARGE: a body or a message over the limit. */
        PayloadTooLargeEvent: {
            /**
             * @description a body or a message over the limit
             * @example PAYLOAD_TOO_LARGE
             * @enum {string}
             */
            code: "PAYLOAD_TOO_LARGE";
            /**
             * @description a sentence for a person
             * @example The body is larger than this server takes.
             */
            message: string;
            /**
             * @description the limit, by its name
             * @example {}
             */
            details: {
                [key: string]: number;
            };
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description RATE_LIMITED: too many requests, events, connections or subscriptions; Retry-After says when to ask again. */
        RateLimitedEvent: {
            /**
             * @description too many requests, events, connections or subscriptions; Retry-After says when to ask again
             * @example RATE_LIMITED
             * @enum {string}
             */
            code: "RATE_LIMITED";
            /**
             * @description a sentence for a person
             * @example More than 1200 requests a minute; try again in 0.1 s.
             */
            message: string;
            /**
             * @description the limit, by its name
             * @example {
             *       "limit": 1200
             *     }
             */
            details: {
                [key: string]: number;
            };
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description INTERNAL_ERROR: anything else; the log has it under the request's id. */
        InternalErrorEvent: {
            /**
             * @description anything else; the log has it under the request's id
             * @example INTERNAL_ERROR
             * @enum {string}
             */
            code: "INTERNAL_ERROR";
            /**
             * @description a sentence for a person
             * @example Something went wrong here; the log has it under this request id.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["FailureDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed. */
        UnknownSymbolEvent: {
            /**
             * @description a well-formed symbol that is not listed
             * @example UNKNOWN_SYMBOL
             * @enum {string}
             */
            code: "UNKNOWN_SYMBOL";
            /**
             * @description a sentence for a person
             * @example The symbol NIFTI is not listed.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["SymbolDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description FEED_UNAVAILABLE: no data has ever arrived for what was asked; Retry-After says when to ask again. */
        FeedUnavailableEvent: {
            /**
             * @description no data has ever arrived for what was asked; Retry-After says when to ask again
             * @example FEED_UNAVAILABLE
             * @enum {string}
             */
            code: "FEED_UNAVAILABLE";
            /**
             * @description a sentence for a person
             * @example No data has arrived yet for NIFTY 2026-12-01.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol. */
        UnknownExpiryEvent: {
            /**
             * @description no such expiry, or no option at all, is listed on the symbol
             * @example UNKNOWN_EXPIRY
             * @enum {string}
             */
            code: "UNKNOWN_EXPIRY";
            /**
             * @description a sentence for a person
             * @example NIFTY has no expiry on 2026-11-28.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["ExpiryDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description UNKNOWN_CONTRACT: the expiry has no such strike. */
        UnknownContractEvent: {
            /**
             * @description the expiry has no such strike
             * @example UNKNOWN_CONTRACT
             * @enum {string}
             */
            code: "UNKNOWN_CONTRACT";
            /**
             * @description a sentence for a person
             * @example NIFTY 2026-12-01 has no strike 22701.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["ContractDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description UNAUTHORIZED: a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked. */
        UnauthorizedEvent: {
            /**
             * @description a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked
             * @example UNAUTHORIZED
             * @enum {string}
             */
            code: "UNAUTHORIZED";
            /**
             * @description a sentence for a person
             * @example An API key is needed here and is missing.
             */
            message: string;
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
            /**
             * @description the event that was refused; empty for a message that was none
             * @example subscribe_option_chain
             */
            event: string;
        };
        /** @description Before a planned stop. */
        Shutdown: {
            /**
             * @description when to come back, another time for each client
             * @example 1240
             */
            reconnect_after_ms: number;
        };
        /**
         * @description A figure that an alert watches.
         * @example spot_price
         * @enum {string}
         */
        AlertField: "spot_price" | "pcr_oi" | "atm_iv" | "max_pain" | "max_pain_move" | "ce_oi_change" | "pe_oi_change";
        /**
         * @description How a figure must stand to its threshold.
         * @example above
         * @enum {string}
         */
        AlertOp: "above" | "below" | "crosses";
        /**
         * @description Price and open interest together.
         * @example long_build_up
         * @enum {string}
         */
        BuildUp: "long_build_up" | "short_build_up" | "long_unwinding" | "short_covering";
        /**
         * @description An exchange, or its segment of derivatives.
         * @example NSE
         * @enum {string}
         */
        Exchange: "NSE" | "BSE" | "NFO" | "BFO" | "MCX";
        /**
         * @description What the feed does.
         * @example live
         * @enum {string}
         */
        FeedState: "live" | "degraded" | "stalled" | "market_closed" | "disconnected";
        /**
         * @description Length of a candle.
         * @example 1m
         * @enum {string}
         */
        Interval: "1m" | "3m" | "5m" | "15m" | "30m" | "1h" | "1d" | "1w";
        /**
         * @description Length of a candle, by its short or its Kite name.
         * @example 1m
         * @enum {string}
         */
        IntervalOrAlias: "1m" | "3m" | "5m" | "15m" | "30m" | "1h" | "1d" | "1w" | "minute" | "3minute" | "5minute" | "15minute" | "30minute" | "60minute" | "day" | "week";
        /**
         * @description When a market moves.
         * @example always
         * @enum {string}
         */
        MarketHours: "always" | "exchange";
        /**
         * @description What an exchange does.
         * @example always
         * @enum {string}
         */
        Phase: "always" | "closed" | "holiday" | "weekend" | "pre_open" | "open" | "morning" | "evening" | "closing" | "closing_auction" | "post_close";
        /**
         * @description What is the matter with a broker's feed.
         * @example login_required
         * @enum {string}
         */
        ProblemKind: "login_required" | "not_permitted" | "rate_limited" | "disconnected" | "protocol" | "broker_down";
        /**
         * @description A word for three figures.
         * @example bullish
         * @enum {string}
         */
        SentimentWord: "bullish" | "neutral" | "bearish";
        /**
         * @description Where prices come from.
         * @example unknown
         * @enum {string}
         */
        Source: "unknown" | "simulated" | "replay" | "kite" | "relay" | "imported" | "dhan";
        /** @description VALIDATION_ERROR: a parameter is missing, unknown, malformed or out of range. */
        ValidationErrorAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example strikes must be a whole number from 1 to 1000, was '0'.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description a parameter is missing, unknown, malformed or out of range */
            error: components["schemas"]["ValidationErrorBody"];
        };
        /** @description What went wrong. */
        UnauthorizedBody: {
            /**
             * @description a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked
             * @example UNAUTHORIZED
             * @enum {string}
             */
            code: "UNAUTHORIZED";
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
        };
        /** @description UNAUTHORIZED: a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked. */
        UnauthorizedAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example An API key is needed here and is missing.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked */
            error: components["schemas"]["UnauthorizedBody"];
        };
        /** @description Whose page it was, and what would let it in. */
        OriginDetails: {
            /**
             * @description as the browser named it, cut at 200 letters
             * @example https://elsewhere.example
             */
            origin: string;
            /**
             * @description the setting that would have to list it
             * @example server.frontend_url
             * @enum {string}
             */
            setting: "server.frontend_url" | "server.hosts";
        };
        /** @description What went wrong. */
        ForbiddenOriginBody: {
            /**
             * @description a page of another origin called
             * @example FORBIDDEN_ORIGIN
             * @enum {string}
             */
            code: "FORBIDDEN_ORIGIN";
            /** @description what helps to ask again */
            details: components["schemas"]["OriginDetails"];
        };
        /** @description FORBIDDEN_ORIGIN: a page of another origin called. */
        ForbiddenOriginAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example The origin https://elsewhere.example is not allowed here: server.frontend_url (FRONTEND_URL) does not list it.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description a page of another origin called */
            error: components["schemas"]["ForbiddenOriginBody"];
        };
        /** @description The span that is recorded. */
        Covered: {
            /**
             * Format: date-time
             * @description first instant that is recorded
             * @example 2026-11-20T03:45:59.500Z
             */
            from: string;
            /**
             * Format: date-time
             * @description last instant that is recorded
             * @example 2026-11-23T04:30:00.000Z
             */
            to: string;
        };
        /** @description Of a past state the span that is recorded. */
        NotFoundDetails: {
            /** @description from first to last record; null where there is none */
            covered?: components["schemas"]["Covered"] | null;
        };
        /** @description What went wrong. */
        NotFoundBody: {
            /**
             * @description there is no such route, it is off, or nothing is recorded of what was asked
             * @example NOT_FOUND
             * @enum {string}
             */
            code: "NOT_FOUND";
            /** @description what helps to ask again */
            details: components["schemas"]["NotFoundDetails"];
        };
        /** @description NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked. */
        NotFoundAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example There is no route /api/nothing.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description there is no such route, it is off, or nothing is recorded of what was asked */
            error: components["schemas"]["NotFoundBody"];
        };
        /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed. */
        UnknownSymbolAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example The symbol NIFTI is not listed.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description a well-formed symbol that is not listed */
            error: components["schemas"]["UnknownSymbolBody"];
        };
        /** @description UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol. */
        UnknownExpiryAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example NIFTY has no expiry on 2026-11-28.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description no such expiry, or no option at all, is listed on the symbol */
            error: components["schemas"]["UnknownExpiryBody"];
        };
        /** @description UNKNOWN_CONTRACT: the expiry has no such strike. */
        UnknownContractAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example NIFTY 2026-12-01 has no strike 22701.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description the expiry has no such strike */
            error: components["schemas"]["UnknownContractBody"];
        };
        /** @description What went wrong. */
        MethodNotAllowedBody: {
            /**
             * @description the route takes other methods, named by Allow
             * @example METHOD_NOT_ALLOWED
             * @enum {string}
             */
            code: "METHOD_NOT_ALLOWED";
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
        };
        /** @description METHOD_NOT_ALLOWED: the route takes other methods, named by Allow. */
        MethodNotAllowedAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example This route does not take that method.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description the route takes other methods, named by Allow */
            error: components["schemas"]["MethodNotAllowedBody"];
        };
        /** @description What went wrong. */
        ConflictBody: {
            /**
             * @description this process serves a market that another one makes: ask that one
             * @example CONFLICT
             * @enum {string}
             */
            code: "CONFLICT";
            /** @description what helps to ask again */
            details: components["schemas"]["NoDetails"];
        };
        /** @description CONFLICT: this process serves a market that another one makes: ask that one. */
        ConflictAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example This is an edge: the feed steers the market, so ask it instead.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description this process serves a market that another one makes: ask that one */
            error: components["schemas"]["ConflictBody"];
        };
        /** @description PAYLOAD_TOO_LARGE: a body or a message over the limit. */
        PayloadTooLargeAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example The body is larger than this server takes.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description a body or a message over the limit */
            error: components["schemas"]["PayloadTooLargeBody"];
        };
        /** @description RATE_LIMITED: too many requests, events, connections or subscriptions; Retry-After says when to ask again. */
        RateLimitedAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example More than 1200 requests a minute; try again in 0.1 s.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description too many requests, events, connections or subscriptions; Retry-After says when to ask again */
            error: components["schemas"]["RateLimitedBody"];
        };
        /** @description INTERNAL_ERROR: anything else; the log has it under the request's id. */
        InternalErrorAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example Something went wrong here; the log has it under this request id.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description anything else; the log has it under the request's id */
            error: components["schemas"]["InternalErrorBody"];
        };
        /** @description FEED_UNAVAILABLE: no data has ever arrived for what was asked; Retry-After says when to ask again. */
        FeedUnavailableAnswer: {
            /**
             * @description whether it went well
             * @example false
             * @enum {boolean}
             */
            success: false;
            /**
             * @description a sentence for a person
             * @example No data has arrived yet for NIFTY 2026-12-01.
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description What the answer is about. */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description no data has ever arrived for what was asked; Retry-After says when to ask again */
            error: components["schemas"]["FeedUnavailableBody"];
        };
        /** @description Whether prices arrive. */
        FeedPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description state of the feed
             * @example live
             */
            state: components["schemas"]["FeedState"];
            /**
             * @description what is the matter with a broker's feed; null where nothing is
             * @example login_required
             */
            problem: components["schemas"]["ProblemKind"] | null;
            /**
             * @description age of the newest input; null before the first
             * @example 180
             */
            last_tick_age_ms: number | null;
            /**
             * @description over the last minute
             * @example 2
             */
            rate_per_s: number;
        };
        /** @description Whether streams reach clients, whatever the feed says. */
        StreamsPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description time since a stream of a kind (symbol, chain, dashboard, candles) last went out
             * @example {
             *       "symbol": 180,
             *       "chain": 181,
             *       "dashboard": null,
             *       "candles": null
             *     }
             */
            last_publish_age_ms: {
                [key: string]: number | null;
            };
            /**
             * @description tries in vain, by kind, since each stream last worked
             * @example {
             *       "symbol": 0,
             *       "chain": 2,
             *       "dashboard": 0,
             *       "candles": 0
             *     }
             */
            failures: {
                [key: string]: number;
            };
            /**
             * @description how long the oldest followed stream that is due was not told of; 0 where none is
             * @example 0
             */
            oldest_due_age_ms: number;
            /**
             * @description least watched chains told more rarely, since all take longer than there is time
             * @example 0
             */
            reduced: number;
        };
        /** @description Whether candles reach the store. */
        HistoryPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description waiting to be written
             * @example 0
             */
            queue_length: number;
            /**
             * @description never written
             * @example 0
             */
            dropped: number;
        };
        /** @description Whether the event loop keeps up. */
        LoopPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description how late callbacks run, 99th percentile
             * @example 3.1
             */
            lag_p99_ms: number;
        };
        /** @description Who is connected. */
        ClientsPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description connected now
             * @example 12
             */
            connected: number;
        };
        /** @description Whether the market reaches the other processes, or this one; only with a role of feed or edge. */
        RelayPart: {
            /**
             * @description verdict
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description a sentence that says why
             * @example Data arrives.
             */
            reason: string;
            /**
             * @description of this process
             * @example edge
             * @enum {string}
             */
            role: "single" | "feed" | "edge";
            /**
             * @description the leadership that is published or followed; null before the first record
             * @example 1796025810486
             */
            term: number | null;
            /**
             * @description whether this feed publishes
             * @example true
             */
            leads?: boolean;
            /**
             * @description waiting for the bus
             * @example 0
             */
            queue_length?: number;
            /**
             * @description that edges never saw
             * @example 0
             */
            dropped?: number;
            /**
             * @description since the newest record
             * @example 136
             */
            silent_ms?: number;
            /**
             * @description that did not follow the one before
             * @example 0
             */
            gaps?: number;
            /**
             * @description whole markets taken over
             * @example 1
             */
            images?: number;
        };
        /** @description A verdict on each part. */
        Parts: {
            /** @description Whether prices arrive. */
            feed: components["schemas"]["FeedPart"];
            /** @description one entry a stream */
            streams: components["schemas"]["StreamsPart"];
            /** @description Whether candles reach the store. */
            history: components["schemas"]["HistoryPart"];
            /** @description Whether the event loop keeps up. */
            event_loop: components["schemas"]["LoopPart"];
            /** @description Who is connected. */
            clients: components["schemas"]["ClientsPart"];
            /** @description Whether the market reaches the other processes, or this one; only with a role of feed or edge. */
            relay?: components["schemas"]["RelayPart"];
        };
        /** @description /health; with probe the status alone. */
        Health: {
            /**
             * @description the worst verdict that matters
             * @example ok
             */
            status: components["schemas"]["HealthStatus"];
            /**
             * @description version of the server
             * @example 0.1.0
             */
            version?: string;
            /**
             * @description since the server started
             * @example 86400.5
             */
            uptime_s?: number;
            /**
             * @description where prices come from: simulated, replay, kite, dhan or relay
             * @example simulated
             */
            source?: string;
            /** @description A verdict on each part. */
            parts?: components["schemas"]["Parts"];
        };
        /** @description The envelope of a success. */
        HealthAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /health; with probe the status alone. */
            data: components["schemas"]["Health"];
        };
        /** @description Where to go from here. */
        Links: {
            /**
             * @description health of the service
             * @example /health
             */
            health: string;
            /**
             * @description path of Socket.IO
             * @example /socket.io/
             */
            socket: string;
            /**
             * @description documentation for people
             * @example /api/docs
             */
            docs: string;
            /**
             * @description the routes, OpenAPI
             * @example /api/openapi.json
             */
            openapi: string;
            /**
             * @description the events, AsyncAPI
             * @example /api/asyncapi.json
             */
            asyncapi: string;
        };
        /** @description One route. */
        Route: {
            /**
             * @description path
             * @example /api/spot_price/{symbol}
             */
            route: string;
            /**
             * @description a link to try
             * @example /api/spot_price/NIFTY
             */
            example: string;
            /**
             * @description what it answers
             * @example price of an underlying
             */
            description: string;
        };
        /** @description One event. */
        Event: {
            /**
             * @description name
             * @example get_market_status
             */
            event: string;
            /**
             * @description what it does
             * @example phases of the exchanges
             */
            description: string;
        };
        /** @description Events by direction. */
        Events: {
            /** @description what you send */
            client_to_server: components["schemas"]["Event"][];
            /** @description what you receive */
            server_to_client: components["schemas"]["Event"][];
        };
        /** @description /api: what there is. */
        Index: {
            /**
             * @description what this is
             * @example Indian options market data
             */
            name: string;
            /**
             * @description version of the server
             * @example 0.1.0
             */
            version: string;
            /** @description Where to go from here. */
            links: components["schemas"]["Links"];
            /** @description every route */
            routes: components["schemas"]["Route"][];
            /** @description Events by direction. */
            events: components["schemas"]["Events"];
        };
        /** @description The envelope of a success. */
        ApiAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api: what there is. */
            data: components["schemas"]["Index"];
        };
        /** @description Which page this is. */
        Pagination: {
            /**
             * @description page, from 1
             * @example 2
             */
            page: number;
            /**
             * @description rows on a page
             * @example 500
             */
            per_page: number;
            /**
             * @description rows on all pages
             * @example 1204
             */
            total: number;
            /**
             * @description how many there are
             * @example 3
             */
            pages: number;
            /**
             * @description next page; null on the last
             * @example 3
             */
            next: number | null;
            /**
             * @description page before; null on the first
             * @example 1
             */
            previous: number | null;
        };
        /** @description One underlying. */
        Symbol: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description full name
             * @example NIFTY 50
             */
            name: string;
            /**
             * @description index, stock or commodity
             * @example index
             */
            kind: components["schemas"]["UnderlyingKind"];
            /**
             * @description where the underlying trades
             * @example NFO
             */
            exchange: components["schemas"]["Exchange"];
            /**
             * @description what moves it beside the market
             * @example PSU Bank
             */
            sector: string;
            /**
             * @description of the nearest expiry
             * @example 65
             */
            lot_size: number | null;
            /**
             * @description price step of its options
             * @example 0.05
             */
            tick_size: number;
            /**
             * @description distance of strikes near the money
             * @example 50
             */
            strike_step: number | null;
            /**
             * @description expiries listed now
             * @example 18
             */
            expiry_count: number;
            /**
             * @description where a simulated market begins
             * @example 22600
             */
            reference_price: number;
            /**
             * Format: date
             * @description whose price that is; null where a rule gave it
             * @example 2026-10-07
             */
            price_date: string | null;
            /**
             * @description which of these are by a rule, for no list is at hand
             * @example [
             *       "strike_step",
             *       "reference_price"
             *     ]
             */
            estimated: string[];
        };
        /** @description /api/symbols. */
        Symbols: {
            /** @description a page of underlyings */
            symbols: components["schemas"]["Symbol"][];
            /**
             * @description symbols of indices
             * @example [
             *       "NIFTY",
             *       "BANKNIFTY"
             *     ]
             */
            indices: string[];
            /**
             * @description symbols of stocks
             * @example [
             *       "RELIANCE",
             *       "M&M"
             *     ]
             */
            stocks: string[];
            /**
             * @description symbols of commodities
             * @example [
             *       "CRUDEOIL",
             *       "GOLD"
             *     ]
             */
            commodities: string[];
            /**
             * @description those with listed options
             * @example [
             *       "RELIANCE",
             *       "M&M"
             *     ]
             */
            stocks_with_options: string[];
        };
        /** @description The envelope of a success. */
        SymbolsAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /** @description which page this is */
                pagination: components["schemas"]["Pagination"];
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/symbols. */
            data: components["schemas"]["Symbols"];
        };
        /** @description One expiry. */
        Expiry: {
            /**
             * Format: date
             * @description day on the exchange's calendar
             * @example 2026-12-01
             */
            date: string;
            /**
             * @description its series
             * @example weekly
             */
            kind: components["schemas"]["ExpiryKind"];
            /**
             * Format: date-time
             * @description instant at which the contracts expire
             * @example 2026-12-01T10:10:00.000Z
             */
            expires_at: string;
            /**
             * @description days until the expiry day, on the exchange's calendar
             * @example 8
             */
            days_to_expiry: number;
            /**
             * @description units per contract
             * @example 65
             */
            lot_size: number | null;
        };
        /** @description /api/expiries/{symbol}. */
        Expiries: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description nearest first
             * @example [
             *       "2026-11-23",
             *       "2026-12-01"
             *     ]
             */
            expiry_dates: string[];
            /** @description nearest first */
            expiries: components["schemas"]["Expiry"][];
        };
        /** @description The envelope of a success. */
        ExpiriesAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/expiries/{symbol}. */
            data: components["schemas"]["Expiries"];
        };
        /** @description The latest price and the day's range of an underlying, as clients see it. */
        SpotPrice: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description last price
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description last price less the previous close
             * @example 79.1
             */
            change: number | null;
            /**
             * @description the same in percent of the previous close
             * @example 0.35
             */
            change_percent: number | null;
            /**
             * @description first price of the day
             * @example 22600
             */
            open: number | null;
            /**
             * @description highest price of the day
             * @example 22863
             */
            high: number | null;
            /**
             * @description lowest price of the day
             * @example 22586.95
             */
            low: number | null;
            /**
             * @description close of the previous session
             * @example 22600
             */
            previous_close: number | null;
            /**
             * @description traded today
             * @example 68581025
             */
            volume: number | null;
        };
        /** @description The envelope of a success. */
        SpotPriceAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description The latest price and the day's range of an underlying, as clients see it. */
            data: components["schemas"]["SpotPrice"];
        };
        /** @description The envelope of a success. */
        OptionChainAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description A whole chain: header, totals, and a row for each strike. */
            data: components["schemas"]["Chain"];
        };
        /** @description The envelope of a success. */
        DashboardDataAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description Figures of one expiry. */
            data: components["schemas"]["Dashboard"];
        };
        /** @description One leg, priced and valued; Greeks are those of one unit bought. */
        Leg: {
            /**
             * @description instrument token, Kite style
             * @example 343641346
             */
            token: number;
            /**
             * @description strike
             * @example 22700
             */
            strike: number;
            /**
             * @description call or put
             * @example CE
             */
            option_type: components["schemas"]["OptionType"];
            /**
             * @description bought or sold
             * @example buy
             */
            side: components["schemas"]["OrderSide"];
            /**
             * @description how many lots
             * @example 1
             */
            quantity: number;
            /**
             * @description premium of one unit
             * @example 177.58
             */
            price: number;
            /**
             * @description given by the client, mid of the quote, or last price
             * @example mid
             */
            price_source: components["schemas"]["PriceSource"];
            /**
             * @description volatility of the strike, which the Greeks rest on
             * @example 11.68
             */
            iv: number | null;
            /**
             * @description per rupee of the underlying
             * @example 0.5404
             */
            delta: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            gamma: number | null;
            /**
             * @description time decay
             * @example -9.568
             */
            theta: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            vega: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.04
             */
            rho: number | null;
        };
        /** @description Greeks of the whole position: of its legs, times lots, times lot size. */
        NetGreeks: {
            /**
             * @description per rupee of the underlying
             * @example 0.5404
             */
            delta: number | null;
            /**
             * @description change of delta per rupee of the underlying
             * @example 0.0009986
             */
            gamma: number | null;
            /**
             * @description time decay
             * @example -9.568
             */
            theta: number | null;
            /**
             * @description per percentage point of volatility
             * @example 13.537
             */
            vega: number | null;
            /**
             * @description per percentage point of the interest rate
             * @example -0.04
             */
            rho: number | null;
        };
        /** @description Profit at one price of the underlying. */
        CurvePoint: {
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number;
            /**
             * @description profit if the contracts expire there
             * @example -1618.5
             */
            at_expiry: number | null;
            /**
             * @description profit if the underlying were there now and the position were closed
             * @example 212.45
             */
            today: number | null;
        };
        /** @description What the figures rest on: the chain's coverage, and that of the legs. */
        StrategyCoverage: {
            /**
             * @description strikes listed
             * @example 113
             */
            strikes: number;
            /**
             * @description legs with a price
             * @example 226
             */
            quoted: number;
            /**
             * @description legs whose price has a volatility
             * @example 226
             */
            iv_solved: number;
            /**
             * @description strikes the forward is read from
             * @example 14
             */
            forward_strikes: number;
            /**
             * @description how the forward was read
             * @example parity
             */
            forward_method: string;
            /**
             * @description legs of the position
             * @example 226
             */
            legs: number;
            /**
             * @description legs with a two-sided quote
             * @example 2
             */
            legs_quoted: number;
            /**
             * @description legs whose strike has a volatility
             * @example 2
             */
            legs_iv_solved: number;
        };
        /** @description What a position of several legs comes to. */
        Strategy: {
            /**
             * @description where prices come from
             * @example simulated
             */
            source: components["schemas"]["Source"];
            /**
             * Format: date-time
             * @description time of the newest input
             * @example 2026-11-23T04:30:07.500Z
             */
            as_of: string;
            /**
             * @description changes when the feed starts afresh
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change
             * @example 16
             */
            seq: number;
            /**
             * @description no input for feed.stale_after_s
             * @example false
             */
            stale: boolean;
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * Format: date-time
             * @description instant at which the contracts expire
             * @example 2026-12-01T10:10:00.000Z
             */
            expires_at: string;
            /**
             * @description days until the expiry day, on the exchange's calendar
             * @example 8
             */
            days_to_expiry: number;
            /**
             * @description units in a contract; null where it is not known
             * @example 65
             */
            lot_size: number | null;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description forward of this expiry from put-call parity
             * @example 22736.34
             */
            forward: number | null;
            /** @description the legs, in the order given */
            legs: components["schemas"]["Leg"][];
            /**
             * @description paid (+) or received (-) for the position
             * @example 5629
             */
            net_premium: number | null;
            /**
             * @description highest profit at expiry; null where unlimited
             * @example 7371
             */
            max_profit: number | null;
            /**
             * @description greatest loss at expiry, a positive number, 0 for none; null where unlimited
             * @example 5629
             */
            max_loss: number | null;
            /**
             * @description whether the profit grows with the underlying without end
             * @example false
             */
            unlimited_profit: boolean;
            /**
             * @description whether the loss grows with the underlying without end
             * @example false
             */
            unlimited_loss: boolean;
            /**
             * @description prices at which profit turns to loss or back, ascending
             * @example [
             *       22723.4,
             *       23026.6
             *     ]
             */
            break_evens: (number | null)[];
            /**
             * @description risk-neutral probability that it ends with a profit
             * @example 0.4216
             */
            probability_of_profit: number | null;
            /** @description of the whole position */
            greeks: components["schemas"]["NetGreeks"];
            /** @description pay-off by price of the underlying, ascending; has every knot */
            curve: components["schemas"]["CurvePoint"][];
            /** @description what the figures rest on */
            coverage: components["schemas"]["StrategyCoverage"];
        };
        /** @description The envelope of a success. */
        StrategyAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description What a position of several legs comes to. */
            data: components["schemas"]["Strategy"];
        };
        /** @description One leg of a strategy. */
        LegRequest: {
            /**
             * @description listed strike
             * @example 22700
             */
            strike: number;
            /**
             * @description CE for a call, PE for a put
             * @example CE
             */
            option_type: components["schemas"]["OptionType"];
            /**
             * @description whether it is bought or sold
             * @example buy
             */
            side: components["schemas"]["OrderSide"];
            /**
             * @description how many lots
             * @example 1
             */
            quantity: number;
            /**
             * @description premium of one unit; left out: mid of the quote, else the last price
             * @example 177.58
             */
            price?: number | null;
        };
        /** @description POST /api/strategy. */
        StrategyRequest: {
            /**
             * @description symbol of the underlying, in any case
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day; left out: the nearest
             * @example 2026-12-01
             */
            expiry?: string | null;
            /** @description contracts of this expiry */
            legs: components["schemas"]["LegRequest"][];
            /**
             * @description how far the curve reaches on each side of the spot
             * @default 10
             * @example 10
             */
            spot_range_percent?: number;
            /**
             * @description even steps of the curve; strikes and break-evens are added
             * @default 101
             * @example 101
             */
            points?: number;
        };
        /** @description The envelope of a success. */
        MarketStatusAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/market-status: the default exchange's phase, and each one's. */
            data: components["schemas"]["MarketStatus"];
        };
        /** @description Candles that follow each other and are made of bars of one width. */
        MadeOf: {
            /**
             * Format: date-time
             * @description first instant of the first of them
             * @example 2026-11-20T03:45:00.000Z
             */
            from: string;
            /**
             * Format: date-time
             * @description first instant of the last of them
             * @example 2026-11-20T09:59:00.000Z
             */
            to: string;
            /**
             * @description width of the widest bars they are made of: 1m, that of imported bars, or 1d for days that were told at their end; null where it is not known
             * @example 1m
             */
            width: string | null;
        };
        /** @description What there is to make candles of. */
        CandleCoverage: {
            /**
             * @description width of the narrowest bars kept in the span; a narrower interval has no candles of them
             * @example 1m
             */
            finest: string | null;
            /** @description of the candles answered */
            made_of: components["schemas"]["MadeOf"][];
        };
        /** @description A candle of a page, which may be the one that is being formed. */
        HistoricalCandle: {
            /**
             * Format: date-time
             * @description first instant of the candle
             * @example 2026-11-23T04:30:00.000Z
             */
            date: string;
            /**
             * @description first price
             * @example 22600
             */
            open: number;
            /**
             * @description highest price
             * @example 22863
             */
            high: number;
            /**
             * @description lowest price
             * @example 22586.95
             */
            low: number;
            /**
             * @description last price
             * @example 22678.8
             */
            close: number;
            /**
             * @description traded within the candle
             * @example 68581025
             */
            volume: number | null;
            /**
             * @description open interest at its end
             * @example 12251
             */
            oi: number | null;
            /**
             * @description whether it is final; the newest one mostly is not
             * @example false
             */
            closed: boolean;
        };
        /** @description /api/historical-data/{symbol}. */
        Candles: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * @description length of a candle
             * @example 5m
             */
            interval: components["schemas"]["Interval"];
            /**
             * @description where prices come from: simulated, replay, kite, dhan or relay
             * @example simulated
             */
            source: string;
            /**
             * Format: date-time
             * @description beginning of the span that the pages are of
             * @example 2026-11-18T04:30:00.001Z
             */
            from: string;
            /**
             * Format: date-time
             * @description its end: given as `to` with the next page, what arrives meanwhile moves nothing
             * @example 2026-11-23T04:30:00.001Z
             */
            to: string;
            /**
             * @description whether prices before a split are of today's shares
             * @example true
             */
            adjusted: boolean;
            /** @description what the figures rest on */
            coverage: components["schemas"]["CandleCoverage"];
            /** @description ascending */
            candles: components["schemas"]["HistoricalCandle"][];
        };
        /** @description The envelope of a success. */
        HistoricalDataAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry?: string;
                /** @description which page this is */
                pagination: components["schemas"]["Pagination"];
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/historical-data/{symbol}. */
            data: components["schemas"]["Candles"];
        };
        /** @description One trading day of an underlying. */
        Day: {
            /**
             * Format: date
             * @description trading day; null where only its close is known
             * @example 2026-11-23
             */
            date: string | null;
            /**
             * @description first price
             * @example 22600
             */
            open: number | null;
            /**
             * @description highest price
             * @example 22863
             */
            high: number | null;
            /**
             * @description lowest price
             * @example 22586.95
             */
            low: number | null;
            /**
             * @description last price of a day that is over
             * @example 22678.8
             */
            close: number | null;
            /**
             * @description last price
             * @example 22679.1
             */
            ltp: number | null;
            /**
             * @description traded
             * @example 68581025
             */
            volume: number | null;
        };
        /** @description /api/ohlc_data/{symbol}. */
        Days: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /** @description this trading day */
            current_day: components["schemas"]["Day"];
            /** @description the trading day before; null when nothing is known of it */
            previous_day: components["schemas"]["Day"] | null;
            /**
             * @description the previous close, which changes are counted from
             * @example 22600
             */
            reference_price: number | null;
        };
        /** @description The envelope of a success. */
        OhlcDataAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/ohlc_data/{symbol}. */
            data: components["schemas"]["Days"];
        };
        /** @description Figures of an expiry at the end of an interval. */
        DashboardPoint: {
            /**
             * Format: date-time
             * @description first instant of the interval
             * @example 2026-11-23T04:30:00.000Z
             */
            date: string;
            /**
             * @description price of the underlying
             * @example 22679.1
             */
            spot_price: number | null;
            /**
             * @description forward of the expiry
             * @example 22736.34
             */
            forward: number | null;
            /**
             * @description open interest of puts per call
             * @example 0.8352
             */
            pcr_oi: number | null;
            /**
             * @description volume of puts per call
             * @example 0.7564
             */
            pcr_volume: number | null;
            /**
             * @description strike at which option buyers are paid least
             * @example 22900
             */
            max_pain: number | null;
            /**
             * @description volatility at the forward
             * @example 11.64
             */
            atm_iv: number | null;
            /**
             * @description call plus put of the listed strike nearest the forward
             * @example 316.6
             */
            straddle_price: number | null;
            /**
             * @description open interest of all calls
             * @example 522025
             */
            total_ce_oi: number | null;
            /**
             * @description open interest of all puts
             * @example 435996
             */
            total_pe_oi: number | null;
            /**
             * @description change of it since the previous close
             * @example -1798
             */
            total_ce_oi_change: number | null;
            /**
             * @description change of it since the previous close
             * @example 3251
             */
            total_pe_oi_change: number | null;
            /**
             * @description traded calls
             * @example 337527
             */
            total_ce_volume: number | null;
            /**
             * @description traded puts
             * @example 255312
             */
            total_pe_volume: number | null;
            /**
             * @description 30-day index by the India VIX method
             * @example 12.82
             */
            volatility_index: number | null;
            /**
             * @description volatility at the forward of the first month more than 4 days away
             * @example 11.94
             */
            near_month_iv: number | null;
        };
        /** @description /api/dashboard-history/{symbol}. */
        DashboardHistory: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * @description length of a candle
             * @example 5m
             */
            interval: components["schemas"]["Interval"];
            /**
             * @description where the recorded prices came from; each, if several
             * @example simulated
             */
            source: string;
            /** @description one for each interval, oldest first */
            points: components["schemas"]["DashboardPoint"][];
        };
        /** @description The envelope of a success. */
        DashboardHistoryAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry: string;
                /** @description which page this is */
                pagination: components["schemas"]["Pagination"];
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/dashboard-history/{symbol}. */
            data: components["schemas"]["DashboardHistory"];
        };
        /** @description Open interest of one strike, a value for each of dates. */
        StrikeSeries: {
            /**
             * @description strike
             * @example 22700
             */
            strike_price: number;
            /**
             * @description open interest of the call
             * @example [
             *       21385
             *     ]
             */
            ce_oi: (number | null)[];
            /**
             * @description open interest of the put
             * @example [
             *       30042
             *     ]
             */
            pe_oi: (number | null)[];
            /**
             * @description the call's less that of the previous close
             * @example [
             *       -1210
             *     ]
             */
            ce_oi_change: (number | null)[];
            /**
             * @description the put's less that of the previous close
             * @example [
             *       890
             *     ]
             */
            pe_oi_change: (number | null)[];
        };
        /** @description /api/oi-history/{symbol}. */
        OpenInterestHistory: {
            /**
             * @description symbol of the underlying
             * @example NIFTY
             */
            symbol: string;
            /**
             * Format: date
             * @description expiry day on the exchange's calendar
             * @example 2026-12-01
             */
            expiry: string;
            /**
             * @description length of a candle
             * @example 5m
             */
            interval: components["schemas"]["Interval"];
            /**
             * @description where the recorded prices came from; each, if several
             * @example simulated
             */
            source: string;
            /**
             * @description first instants of the intervals, ascending
             * @example [
             *       "2026-11-23T04:00:00.000Z"
             *     ]
             */
            dates: string[];
            /** @description a series for each strike, ascending */
            strikes: components["schemas"]["StrikeSeries"][];
        };
        /** @description The envelope of a success. */
        OiHistoryAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description symbol of the underlying
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * Format: date
                 * @description expiry day on the exchange's calendar
                 * @example 2026-12-01
                 */
                expiry: string;
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/oi-history/{symbol}. */
            data: components["schemas"]["OpenInterestHistory"];
        };
        /** @description /api/replay: where a replay stands. */
        Replay: {
            /**
             * @description whether the market stands still
             * @example false
             */
            paused: boolean;
            /**
             * @description how fast it goes
             * @example 60
             */
            speed: number | null;
            /**
             * Format: date-time
             * @description time of the market's clock
             * @example 2026-11-23T05:00:00.000Z
             */
            at: string;
            /**
             * Format: date-time
             * @description first instant of the recording
             * @example 2026-11-23T03:45:00.000Z
             */
            start: string;
            /**
             * Format: date-time
             * @description last instant of the recording
             * @example 2026-11-23T10:10:00.000Z
             */
            end: string;
            /**
             * @description whether it starts again at its end
             * @example true
             */
            loop: boolean;
            /**
             * @description whether everything was told
             * @example false
             */
            finished: boolean;
            /**
             * @description a seek begins a new one
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
        };
        /** @description The envelope of a success. */
        ReplayAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/replay: where a replay stands. */
            data: components["schemas"]["Replay"];
        };
        /** @description POST /api/replay. */
        ReplayRequest: {
            /**
             * @description what to do with the replay
             * @example pause
             * @enum {string}
             */
            action: "pause" | "resume" | "seek" | "speed";
            /**
             * @description where to go on, of a seek
             * @example 2026-11-23T10:30:00+05:30
             */
            at?: string;
            /**
             * @description how fast to go on, of a speed
             * @example 60
             */
            speed?: number | null;
        };
        /** @description /api/simulation/scenario. */
        ScenarioState: {
            /**
             * @description what the simulated market goes through
             * @example calm
             */
            scenario: string;
            /**
             * @description what there is to choose from
             * @example [
             *       "calm",
             *       "trend_up",
             *       "trend_down",
             *       "crash",
             *       "rally",
             *       "vol_crush",
             *       "expiry_day",
             *       "gap_open",
             *       "illiquid",
             *       "circuit_halt"
             *     ]
             */
            scenarios: string[];
        };
        /** @description The envelope of a success. */
        SimulationScenarioAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/simulation/scenario. */
            data: components["schemas"]["ScenarioState"];
        };
        /** @description POST /api/simulation/scenario. */
        ScenarioRequest: {
            /**
             * @description the scenario to go over to
             * @example crash
             */
            scenario: components["schemas"]["Scenario"];
        };
        /** @description A fault that was brought about. */
        Fault: {
            /**
             * @description what goes wrong
             * @example drop_sockets
             */
            kind: components["schemas"]["FaultKind"];
            /**
             * Format: date-time
             * @description when it began
             * @example 2026-11-23T04:30:00.000Z
             */
            since: string;
            /**
             * Format: date-time
             * @description when it ends by itself; the same for what happens once
             * @example 2026-11-23T04:30:10.000Z
             */
            until: string | null;
            /**
             * @description of a stale chain
             * @example NIFTY
             */
            symbol: string | null;
            /**
             * Format: date
             * @description of a stale chain
             * @example 2026-12-01
             */
            expiry: string | null;
            /**
             * @description of latency
             * @example 800
             */
            latency_ms: number | null;
            /**
             * @description of the Kite mock, from 1
             * @example 1
             */
            socket: number | null;
        };
        /** @description /api/simulation/faults: what is in force, and what can be brought about here. */
        Faults: {
            /** @description what is in force */
            faults: components["schemas"]["Fault"][];
            /**
             * @description what there is to choose from
             * @example [
             *       "stall_feed"
             *     ]
             */
            kinds: string[];
        };
        /** @description The envelope of a success. */
        SimulationFaultsAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/simulation/faults: what is in force, and what can be brought about here. */
            data: components["schemas"]["Faults"];
        };
        /** @description POST /api/simulation/faults. */
        FaultRequest: {
            /**
             * @description what is to go wrong
             * @example stall_feed
             */
            kind: components["schemas"]["FaultKind"];
            /**
             * @description for how long, by the market's clock
             * @default 10
             * @example 10
             */
            seconds?: number;
            /**
             * @description of the chain, of a stale_chain
             * @example NIFTY
             */
            symbol?: string | null;
            /**
             * Format: date
             * @description of the chain; the nearest without one
             * @example 2026-12-01
             */
            expiry?: string | null;
            /**
             * @description of every answer over REST, of a latency
             * @example 800
             */
            latency_ms?: number | null;
            /**
             * @description number of the Kite mock's socket, of drop_ticker, malformed_frame; else all
             * @example 1
             */
            socket?: number | null;
        };
        /** @description Connections, counted. */
        Connections: {
            /**
             * @description connected now
             * @example 12
             */
            now: number;
            /**
             * @description most at once
             * @example 40
             */
            peak: number;
            /**
             * @description let in since the start
             * @example 812
             */
            total: number;
            /**
             * @description turned away since the start
             * @example 3
             */
            refused: number;
            /**
             * @description turned away, by code
             * @example {
             *       "FORBIDDEN_ORIGIN": 3
             *     }
             */
            refused_by_code: {
                [key: string]: number;
            };
        };
        /** @description Connected clients by transport. */
        Transports: {
            /**
             * @description over a WebSocket
             * @example 11
             */
            websocket: number;
            /**
             * @description by polling
             * @example 1
             */
            polling: number;
        };
        /** @description The subscribers of a stream who are sent the same bytes. */
        Room: {
            /**
             * @description name of a stream: kind, symbol, and expiry or interval
             * @example chain:NIFTY:2026-12-01
             */
            stream: string;
            /**
             * @description changes when the feed starts afresh; sequence numbers count within it
             * @example sim-2a-1a206ab0140
             */
            epoch: string;
            /**
             * @description grows by 1 with every published change of the stream
             * @example 16
             */
            seq: number;
            /**
             * @description chains: delta or full
             * @example delta
             * @enum {string}
             */
            mode?: "delta" | "full";
            /**
             * @description chains: strikes on each side of the money; null for all
             * @example 10
             */
            strikes?: number | null;
            /**
             * @description chains: the fields of each leg, as a set's name or a list
             * @example quotes
             */
            fields?: ("all" | "quotes" | "greeks" | "positioning") | ("token" | "ltp" | "change" | "change_percent" | "bid_price" | "bid_qty" | "ask_price" | "ask_qty" | "volume" | "oi" | "oi_change" | "oi_change_percent" | "iv" | "delta" | "gamma" | "theta" | "vega" | "rho" | "intrinsic" | "time_val" | "open" | "high" | "low" | "prev_close" | "build_up")[];
            /**
             * @description who is in it
             * @example 7
             */
            subscribers: number;
        };
        /** @description Percentiles of a time. */
        MedianAndTail: {
            /**
             * @description median; null before the first sample
             * @example 0.011
             */
            p50: number | null;
            /**
             * @description 99th percentile; null before the first sample
             * @example 0.018
             */
            p99: number | null;
        };
        /** @description Percentiles of a delay. */
        Lag: {
            /**
             * @description median; null before the first sample
             * @example 0.011
             */
            p50: number | null;
            /**
             * @description 99th percentile; null before the first sample
             * @example 0.018
             */
            p99: number | null;
            /**
             * @description the worst; null before the first sample
             * @example 13.537
             */
            max: number | null;
        };
        /** @description /api/websocket/stats. */
        Statistics: {
            /** @description Connections, counted. */
            connections: components["schemas"]["Connections"];
            /** @description Connected clients by transport. */
            transports: components["schemas"]["Transports"];
            /** @description groups of subscribers sent the same bytes */
            rooms: components["schemas"]["Room"][];
            /**
             * @description stream messages written
             * @example 48211
             */
            messages_out: number;
            /**
             * @description their payload before compression
             * @example 9120044
             */
            bytes_out: number;
            /**
             * @description merged into a later message
             * @example 37
             */
            conflated: number;
            /**
             * @description sent because too much had been missed
             * @example 1
             */
            resyncs: number;
            /**
             * @description that have not read what was sent
             * @example 0
             */
            slow_clients: number;
            /**
             * @description disconnected for not reading
             * @example 0
             */
            slow_disconnects: number;
            /**
             * @description clients that went, by reason
             * @example {
             *       "over_limit": 2
             *     }
             */
            closed_by_reason: {
                [key: string]: number;
            };
            /**
             * @description held for clients that have yet to read them
             * @example 0
             */
            unread_bytes: number;
            /** @description time in which a publish cycle reached every client */
            fan_out_ms: components["schemas"]["MedianAndTail"];
            /** @description how late the event loop runs */
            loop_lag_ms: components["schemas"]["Lag"];
        };
        /** @description The envelope of a success. */
        WebsocketStatsAnswer: {
            /**
             * @description whether it went well
             * @example true
             * @enum {boolean}
             */
            success: true;
            /**
             * @description a sentence for a person
             * @example OK
             */
            message: string;
            /**
             * Format: date-time
             * @description time of the market's clock when it was answered
             * @example 2026-11-23T04:30:07.500Z
             */
            timestamp: string;
            /** @description what the answer is about */
            meta: {
                /**
                 * @description the request's id: yours, or a fresh one; the log has it too
                 * @example 8f6f0c2e9b1d4a57
                 */
                request_id: string;
            };
            /** @description /api/websocket/stats. */
            data: components["schemas"]["Statistics"];
        };
        /**
         * @description Which series a contract belongs to.
         * @example weekly
         * @enum {string}
         */
        ExpiryKind: "weekly" | "monthly" | "quarterly" | "half_yearly";
        /**
         * @description What can be brought about on purpose.
         * @example drop_sockets
         * @enum {string}
         */
        FaultKind: "drop_sockets" | "stall_feed" | "feed_down" | "latency" | "stale_chain" | "sequence_gap" | "history_down" | "token_rejected" | "rate_limited" | "malformed_frame" | "drop_ticker";
        /**
         * @description A verdict.
         * @example ok
         * @enum {string}
         */
        HealthStatus: "ok" | "degraded" | "down";
        /**
         * @description CE for a call, PE for a put.
         * @example CE
         * @enum {string}
         */
        OptionType: "CE" | "PE";
        /**
         * @description Bought or sold.
         * @example buy
         * @enum {string}
         */
        OrderSide: "buy" | "sell";
        /**
         * @description Where the price of a leg is from.
         * @example given
         * @enum {string}
         */
        PriceSource: "given" | "mid" | "last";
        /**
         * @description What a simulated market goes through.
         * @example calm
         * @enum {string}
         */
        Scenario: "calm" | "trend_up" | "trend_down" | "crash" | "rally" | "vol_crush" | "expiry_day" | "gap_open" | "illiquid" | "circuit_halt";
        /**
         * @description What an underlying is.
         * @example index
         * @enum {string}
         */
        UnderlyingKind: "index" | "stock" | "commodity";
    };
    responses: {
        /** @description VALIDATION_ERROR: a parameter is missing, unknown, malformed or out of range */
        VALIDATION_ERROR: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "strikes must be a whole number from 1 to 1000, was '0'.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "VALIDATION_ERROR",
                 *         "details": {
                 *           "strikes": [
                 *             "must be a whole number from 1 to 1000, was '0'"
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ValidationErrorAnswer"];
            };
        };
        /** @description UNAUTHORIZED: a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked */
        UNAUTHORIZED: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "An API key is needed here and is missing.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "UNAUTHORIZED",
                 *         "details": {}
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["UnauthorizedAnswer"];
            };
        };
        /** @description FORBIDDEN_ORIGIN: a page of another origin called */
        FORBIDDEN_ORIGIN: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "The origin https://elsewhere.example is not allowed here: server.frontend_url (FRONTEND_URL) does not list it.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "FORBIDDEN_ORIGIN",
                 *         "details": {
                 *           "origin": "https://elsewhere.example",
                 *           "setting": "server.frontend_url"
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ForbiddenOriginAnswer"];
            };
        };
        /** @description NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked */
        NOT_FOUND: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "There is no route /api/nothing.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "NOT_FOUND",
                 *         "details": {
                 *           "covered": {
                 *             "from": "2026-11-20T03:45:59.500Z",
                 *             "to": "2026-11-23T04:30:00.000Z"
                 *           }
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["NotFoundAnswer"];
            };
        };
        /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed */
        UNKNOWN_SYMBOL: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "The symbol NIFTI is not listed.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "UNKNOWN_SYMBOL",
                 *         "details": {
                 *           "symbol": "NIFTI",
                 *           "close_matches": [
                 *             "NIFTY"
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["UnknownSymbolAnswer"];
            };
        };
        /** @description UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol */
        UNKNOWN_EXPIRY: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "NIFTY has no expiry on 2026-11-28.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "UNKNOWN_EXPIRY",
                 *         "details": {
                 *           "symbol": "NIFTY",
                 *           "listed": [
                 *             "2026-12-01",
                 *             "2026-12-08"
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["UnknownExpiryAnswer"];
            };
        };
        /** @description UNKNOWN_CONTRACT: the expiry has no such strike */
        UNKNOWN_CONTRACT: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "NIFTY 2026-12-01 has no strike 22701.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "UNKNOWN_CONTRACT",
                 *         "details": {
                 *           "symbol": "NIFTY",
                 *           "near": [
                 *             22650,
                 *             22700
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["UnknownContractAnswer"];
            };
        };
        /** @description METHOD_NOT_ALLOWED: the route takes other methods, named by Allow */
        METHOD_NOT_ALLOWED: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "This route does not take that method.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "METHOD_NOT_ALLOWED",
                 *         "details": {}
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["MethodNotAllowedAnswer"];
            };
        };
        /** @description CONFLICT: this process serves a market that another one makes: ask that one */
        CONFLICT: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "This is an edge: the feed steers the market, so ask it instead.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "CONFLICT",
                 *         "details": {}
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ConflictAnswer"];
            };
        };
        /** @description PAYLOAD_TOO_LARGE: a body or a message over the limit */
        PAYLOAD_TOO_LARGE: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "The body is larger than this server takes.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "PAYLOAD_TOO_LARGE",
                 *         "details": {}
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["PayloadTooLargeAnswer"];
            };
        };
        /** @description RATE_LIMITED: too many requests, events, connections or subscriptions; Retry-After says when to ask again */
        RATE_LIMITED: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "More than 1200 requests a minute; try again in 0.1 s.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "RATE_LIMITED",
                 *         "details": {
                 *           "limit": 1200
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["RateLimitedAnswer"];
            };
        };
        /** @description INTERNAL_ERROR: anything else; the log has it under the request's id */
        INTERNAL_ERROR: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "Something went wrong here; the log has it under this request id.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "INTERNAL_ERROR",
                 *         "details": {
                 *           "request_id": "8f6f0c2e9b1d4a57"
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["InternalErrorAnswer"];
            };
        };
        /** @description FEED_UNAVAILABLE: no data has ever arrived for what was asked; Retry-After says when to ask again */
        FEED_UNAVAILABLE: {
            headers: {
                "X-Request-ID": components["headers"]["X-Request-ID"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": false,
                 *       "message": "No data has arrived yet for NIFTY 2026-12-01.",
                 *       "timestamp": "2026-11-23T04:30:07.500Z",
                 *       "meta": {
                 *         "request_id": "8f6f0c2e9b1d4a57"
                 *       },
                 *       "error": {
                 *         "code": "FEED_UNAVAILABLE",
                 *         "details": {}
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["FeedUnavailableAnswer"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /**
         * @description the request's id: yours, or a fresh one
         * @example 8f6f0c2e9b1d4a57
         */
        "X-Request-ID": string;
        /**
         * @description the state: epoch, sequence number, question
         * @example "sim-2a-1a206ab0140-16-"
         */
        ETag: string;
        /**
         * @description how long the answer may be kept
         * @example no-cache
         */
        "Cache-Control": string;
        /**
         * @description seconds until it is worth asking again
         * @example 5
         */
        "Retry-After": string;
        /**
         * @description requests left (r) and seconds until all are back (t)
         * @example "default";r=1199;t=1
         */
        RateLimit: string;
        /**
         * @description requests allowed (q) in a window of seconds (w)
         * @example "default";q=1200;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description requests allowed in a minute; a dear route takes several
         * @example 1200
         */
        "RateLimit-Limit": string;
        /**
         * @description requests left
         * @example 1199
         */
        "RateLimit-Remaining": string;
        /**
         * @description seconds until all are back
         * @example 1
         */
        "RateLimit-Reset": string;
        /**
         * @description how a key is shown; X-API-Key does too
         * @example Bearer
         */
        "WWW-Authenticate": string;
        /**
         * @description methods that the route takes
         * @example GET, HEAD, OPTIONS
         */
        Allow: string;
        /**
         * @description the page's origin, if it may call
         * @example http://localhost:3000
         */
        "Access-Control-Allow-Origin": string;
        /**
         * @description methods that the route takes
         * @example GET, HEAD, OPTIONS
         */
        "Access-Control-Allow-Methods": string;
        /**
         * @description request headers that a page may send
         * @example content-type
         */
        "Access-Control-Allow-Headers": string;
        /**
         * @description seconds for which this holds
         * @example 600
         */
        "Access-Control-Max-Age": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getIndex: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page with links to everything */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getHealth: {
        parameters: {
            query?: {
                /**
                 * @description ask for one verdict: live (the process answers), ready (it serves)
                 * @example ready
                 */
                probe?: "live" | "ready";
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Health of the service and of each part */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "status": "ok",
                     *         "version": "0.1.0",
                     *         "uptime_s": 86400.5,
                     *         "source": "simulated",
                     *         "parts": {
                     *           "feed": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "state": "live",
                     *             "problem": "login_required",
                     *             "last_tick_age_ms": 180,
                     *             "rate_per_s": 2
                     *           },
                     *           "streams": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "last_publish_age_ms": {
                     *               "symbol": 180,
                     *               "chain": 181,
                     *               "dashboard": null,
                     *               "candles": null
                     *             },
                     *             "failures": {
                     *               "symbol": 0,
                     *               "chain": 2,
                     *               "dashboard": 0,
                     *               "candles": 0
                     *             },
                     *             "oldest_due_age_ms": 0,
                     *             "reduced": 0
                     *           },
                     *           "history": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "queue_length": 0,
                     *             "dropped": 0
                     *           },
                     *           "event_loop": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "lag_p99_ms": 3.1
                     *           },
                     *           "clients": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "connected": 12
                     *           },
                     *           "relay": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "role": "edge",
                     *             "term": 1796025810486,
                     *             "leads": true,
                     *             "queue_length": 0,
                     *             "dropped": 0,
                     *             "silent_ms": 136,
                     *             "gaps": 0,
                     *             "images": 1
                     *           }
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            /** @description the service is down; `status` says so */
            503: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "status": "ok",
                     *         "version": "0.1.0",
                     *         "uptime_s": 86400.5,
                     *         "source": "simulated",
                     *         "parts": {
                     *           "feed": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "state": "live",
                     *             "problem": "login_required",
                     *             "last_tick_age_ms": 180,
                     *             "rate_per_s": 2
                     *           },
                     *           "streams": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "last_publish_age_ms": {
                     *               "symbol": 180,
                     *               "chain": 181,
                     *               "dashboard": null,
                     *               "candles": null
                     *             },
                     *             "failures": {
                     *               "symbol": 0,
                     *               "chain": 2,
                     *               "dashboard": 0,
                     *               "candles": 0
                     *             },
                     *             "oldest_due_age_ms": 0,
                     *             "reduced": 0
                     *           },
                     *           "history": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "queue_length": 0,
                     *             "dropped": 0
                     *           },
                     *           "event_loop": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "lag_p99_ms": 3.1
                     *           },
                     *           "clients": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "connected": 12
                     *           },
                     *           "relay": {
                     *             "status": "ok",
                     *             "reason": "Data arrives.",
                     *             "role": "edge",
                     *             "term": 1796025810486,
                     *             "leads": true,
                     *             "queue_length": 0,
                     *             "dropped": 0,
                     *             "silent_ms": 136,
                     *             "gaps": 0,
                     *             "images": 1
                     *           }
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
        };
    };
    getApi: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Name, version, routes and events */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "name": "Indian options market data",
                     *         "version": "0.1.0",
                     *         "links": {
                     *           "health": "/health",
                     *           "socket": "/socket.io/",
                     *           "docs": "/api/docs",
                     *           "openapi": "/api/openapi.json",
                     *           "asyncapi": "/api/asyncapi.json"
                     *         },
                     *         "routes": [
                     *           {
                     *             "route": "/api/spot_price/{symbol}",
                     *             "example": "/api/spot_price/NIFTY",
                     *             "description": "price of an underlying"
                     *           }
                     *         ],
                     *         "events": {
                     *           "client_to_server": [
                     *             {
                     *               "event": "get_market_status",
                     *               "description": "phases of the exchanges"
                     *             }
                     *           ],
                     *           "server_to_client": [
                     *             {
                     *               "event": "get_market_status",
                     *               "description": "phases of the exchanges"
                     *             }
                     *           ]
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ApiAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getSymbols: {
        parameters: {
            query?: {
                /**
                 * @description index, stock or commodity; all when left out
                 * @example index
                 */
                kind?: components["schemas"]["UnderlyingKind"];
                /**
                 * @description exchanges, separated by commas, in any case; all when left out
                 * @example NSE,MCX
                 */
                exchange?: string;
                /**
                 * @description part of a symbol or name, in any case
                 * @example bank
                 */
                q?: string;
                /**
                 * @description page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description rows on a page
                 * @example 500
                 */
                per_page?: number;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What can be asked for */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "pagination": {
                     *           "page": 2,
                     *           "per_page": 500,
                     *           "total": 1204,
                     *           "pages": 3,
                     *           "next": 3,
                     *           "previous": 1
                     *         },
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbols": [
                     *           {
                     *             "symbol": "NIFTY",
                     *             "name": "NIFTY 50",
                     *             "kind": "index",
                     *             "exchange": "NFO",
                     *             "sector": "PSU Bank",
                     *             "lot_size": 65,
                     *             "tick_size": 0.05,
                     *             "strike_step": 50,
                     *             "expiry_count": 18,
                     *             "reference_price": 22600,
                     *             "price_date": "2026-10-07",
                     *             "estimated": [
                     *               "strike_step",
                     *               "reference_price"
                     *             ]
                     *           }
                     *         ],
                     *         "indices": [
                     *           "NIFTY",
                     *           "BANKNIFTY"
                     *         ],
                     *         "stocks": [
                     *           "RELIANCE",
                     *           "M&M"
                     *         ],
                     *         "commodities": [
                     *           "CRUDEOIL",
                     *           "GOLD"
                     *         ],
                     *         "stocks_with_options": [
                     *           "RELIANCE",
                     *           "M&M"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SymbolsAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getExpiries: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Expiries of an underlying */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbol": "NIFTY",
                     *         "expiry_dates": [
                     *           "2026-11-23",
                     *           "2026-12-01"
                     *         ],
                     *         "expiries": [
                     *           {
                     *             "date": "2026-12-01",
                     *             "kind": "weekly",
                     *             "expires_at": "2026-12-01T10:10:00.000Z",
                     *             "days_to_expiry": 8,
                     *             "lot_size": 65
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ExpiriesAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["UNKNOWN_SYMBOL"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getSpotPrice: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Price of an underlying */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "source": "simulated",
                     *         "as_of": "2026-11-23T04:30:07.500Z",
                     *         "epoch": "sim-2a-1a206ab0140",
                     *         "seq": 16,
                     *         "stale": false,
                     *         "symbol": "NIFTY",
                     *         "spot_price": 22679.1,
                     *         "change": 79.1,
                     *         "change_percent": 0.35,
                     *         "open": 22600,
                     *         "high": 22863,
                     *         "low": 22586.95,
                     *         "previous_close": 22600,
                     *         "volume": 68581025
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SpotPriceAnswer"];
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["UNKNOWN_SYMBOL"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getOptionChain: {
        parameters: {
            query: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * @description expiry day; left out: the nearest
                 * @example 2026-12-01
                 */
                expiry?: string;
                /**
                 * @description strikes on each side of the money; all when left out
                 * @example 10
                 */
                strikes?: number;
                /**
                 * @description fields of each leg: all, quotes, greeks, positioning, or a list of their names
                 * @example quotes
                 */
                fields?: string;
                /**
                 * @description an instant of the past, from history; left out: now
                 * @example 2026-11-23T09:45:00+05:30
                 */
                at?: string;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An option chain with Greeks, open interest and totals */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "source": "simulated",
                     *         "as_of": "2026-11-23T04:30:07.500Z",
                     *         "epoch": "sim-2a-1a206ab0140",
                     *         "seq": 16,
                     *         "stale": false,
                     *         "total_ce_oi": 522025,
                     *         "total_pe_oi": 435996,
                     *         "total_ce_oi_change": -1798,
                     *         "total_pe_oi_change": 3251,
                     *         "total_ce_volume": 337527,
                     *         "total_pe_volume": 255312,
                     *         "pcr_oi": 0.8352,
                     *         "pcr_volume": 0.7564,
                     *         "max_pain": 22900,
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "expires_at": "2026-12-01T10:10:00.000Z",
                     *         "days_to_expiry": 8,
                     *         "lot_size": 65,
                     *         "spot_price": 22679.1,
                     *         "forward": 22736.34,
                     *         "interest_rate": 0.065,
                     *         "atm_strike": 22700,
                     *         "timestamp": "2026-11-23T04:30:07.500Z",
                     *         "coverage": {
                     *           "strikes": 113,
                     *           "quoted": 226,
                     *           "iv_solved": 226,
                     *           "forward_strikes": 14,
                     *           "forward_method": "parity"
                     *         },
                     *         "option_chain": [
                     *           {
                     *             "strike_price": 22700,
                     *             "is_atm": true,
                     *             "ce_token": 343641346,
                     *             "ce_ltp": 177.15,
                     *             "ce_change": 24.7,
                     *             "ce_change_percent": 16.2,
                     *             "ce_bid_price": 177.15,
                     *             "ce_bid_qty": 260,
                     *             "ce_ask_price": 178,
                     *             "ce_ask_qty": 390,
                     *             "ce_volume": 17073,
                     *             "ce_oi": 12251,
                     *             "ce_oi_change": -1635,
                     *             "ce_oi_change_percent": -11.77,
                     *             "ce_iv": 11.68,
                     *             "ce_delta": 0.5404,
                     *             "ce_gamma": 0.0009986,
                     *             "ce_theta": -9.568,
                     *             "ce_vega": 13.537,
                     *             "ce_rho": -0.04,
                     *             "ce_intrinsic": 0,
                     *             "ce_time_val": 177.15,
                     *             "ce_open": 137.05,
                     *             "ce_high": 298.5,
                     *             "ce_low": 131.05,
                     *             "ce_prev_close": 152.45,
                     *             "ce_build_up": "short_covering",
                     *             "pe_token": 343641090,
                     *             "pe_ltp": 141.6,
                     *             "pe_change": -42.95,
                     *             "pe_change_percent": -23.27,
                     *             "pe_bid_price": 141,
                     *             "pe_bid_qty": 650,
                     *             "pe_ask_price": 141.6,
                     *             "pe_ask_qty": 260,
                     *             "pe_volume": 22232,
                     *             "pe_oi": 15648,
                     *             "pe_oi_change": 1164,
                     *             "pe_oi_change_percent": 8.04,
                     *             "pe_iv": 11.68,
                     *             "pe_delta": -0.4607,
                     *             "pe_gamma": 0.0009986,
                     *             "pe_theta": -9.574,
                     *             "pe_vega": 13.537,
                     *             "pe_rho": -0.032,
                     *             "pe_intrinsic": 20.9,
                     *             "pe_time_val": 120.7,
                     *             "pe_open": 180.15,
                     *             "pe_high": 187.25,
                     *             "pe_low": 78.35,
                     *             "pe_prev_close": 184.55,
                     *             "pe_build_up": "short_build_up"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["OptionChainAnswer"];
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol; NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"] | components["schemas"]["NotFoundAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getDashboardData: {
        parameters: {
            query: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
                /**
                 * @description expiry day; left out: the nearest
                 * @example 2026-12-01
                 */
                expiry?: string;
                /**
                 * @description an instant of the past, from history; left out: now
                 * @example 2026-11-23T09:45:00+05:30
                 */
                at?: string;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Figures of an expiry */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "source": "simulated",
                     *         "as_of": "2026-11-23T04:30:07.500Z",
                     *         "epoch": "sim-2a-1a206ab0140",
                     *         "seq": 16,
                     *         "stale": false,
                     *         "total_ce_oi": 522025,
                     *         "total_pe_oi": 435996,
                     *         "total_ce_oi_change": -1798,
                     *         "total_pe_oi_change": 3251,
                     *         "total_ce_volume": 337527,
                     *         "total_pe_volume": 255312,
                     *         "pcr_oi": 0.8352,
                     *         "pcr_volume": 0.7564,
                     *         "max_pain": 22900,
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "spot_price": 22679.1,
                     *         "atm_strike": 22700,
                     *         "pcr_oi_change": -1.8077,
                     *         "max_pain_curve": [
                     *           {
                     *             "strike_price": 22700,
                     *             "payout": 1033035000
                     *           }
                     *         ],
                     *         "support": [
                     *           {
                     *             "strike_price": 22700,
                     *             "oi": 12251
                     *           }
                     *         ],
                     *         "resistance": [
                     *           {
                     *             "strike_price": 22700,
                     *             "oi": 12251
                     *           }
                     *         ],
                     *         "atm_iv": 11.64,
                     *         "iv_skew": 0.48,
                     *         "near_month_iv": 11.94,
                     *         "iv_rank": 31.2,
                     *         "iv_percentile": 38.4,
                     *         "iv_days": 250,
                     *         "straddle_price": 316.6,
                     *         "expected_move": 397.54,
                     *         "expected_range": {
                     *           "low": 22586.95,
                     *           "high": 22863
                     *         },
                     *         "gamma_exposure": {
                     *           "convention": "dealers are taken to be long calls and short puts: calls count plus, puts minus",
                     *           "total": 1204,
                     *           "unsigned_total": 166421579517.83,
                     *           "legs": 226,
                     *           "by_strike": [
                     *             {
                     *               "strike_price": 22700,
                     *               "exposure": -1556473.98
                     *             }
                     *           ]
                     *         },
                     *         "zero_gamma": 22688.69,
                     *         "forward": 22736.34,
                     *         "basis": 57.24,
                     *         "volatility_index": 12.82,
                     *         "sentiment": {
                     *           "word": "bullish",
                     *           "score": 2,
                     *           "pcr_oi": 0.8352,
                     *           "change_percent": 0.35,
                     *           "max_pain_distance_percent": 0.98
                     *         },
                     *         "coverage": {
                     *           "strikes": 113,
                     *           "quoted": 226,
                     *           "iv_solved": 226,
                     *           "forward_strikes": 14,
                     *           "forward_method": "parity"
                     *         },
                     *         "timestamp": "2026-11-23T04:30:07.500Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DashboardDataAnswer"];
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol; NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"] | components["schemas"]["NotFoundAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    postStrategy: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "symbol": "NIFTY",
                 *       "expiry": "2026-12-01",
                 *       "legs": [
                 *         {
                 *           "strike": 22700,
                 *           "option_type": "CE",
                 *           "side": "buy",
                 *           "quantity": 1,
                 *           "price": 177.58
                 *         }
                 *       ],
                 *       "spot_range_percent": 10,
                 *       "points": 101
                 *     }
                 */
                "application/json": components["schemas"]["StrategyRequest"];
            };
        };
        responses: {
            /** @description Pay-off, break-evens, Greeks and odds of several legs */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "source": "simulated",
                     *         "as_of": "2026-11-23T04:30:07.500Z",
                     *         "epoch": "sim-2a-1a206ab0140",
                     *         "seq": 16,
                     *         "stale": false,
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "expires_at": "2026-12-01T10:10:00.000Z",
                     *         "days_to_expiry": 8,
                     *         "lot_size": 65,
                     *         "spot_price": 22679.1,
                     *         "forward": 22736.34,
                     *         "legs": [
                     *           {
                     *             "token": 343641346,
                     *             "strike": 22700,
                     *             "option_type": "CE",
                     *             "side": "buy",
                     *             "quantity": 1,
                     *             "price": 177.58,
                     *             "price_source": "mid",
                     *             "iv": 11.68,
                     *             "delta": 0.5404,
                     *             "gamma": 0.0009986,
                     *             "theta": -9.568,
                     *             "vega": 13.537,
                     *             "rho": -0.04
                     *           }
                     *         ],
                     *         "net_premium": 5629,
                     *         "max_profit": 7371,
                     *         "max_loss": 5629,
                     *         "unlimited_profit": false,
                     *         "unlimited_loss": false,
                     *         "break_evens": [
                     *           22723.4,
                     *           23026.6
                     *         ],
                     *         "probability_of_profit": 0.4216,
                     *         "greeks": {
                     *           "delta": 0.5404,
                     *           "gamma": 0.0009986,
                     *           "theta": -9.568,
                     *           "vega": 13.537,
                     *           "rho": -0.04
                     *         },
                     *         "curve": [
                     *           {
                     *             "spot_price": 22679.1,
                     *             "at_expiry": -1618.5,
                     *             "today": 212.45
                     *           }
                     *         ],
                     *         "coverage": {
                     *           "strikes": 113,
                     *           "quoted": 226,
                     *           "iv_solved": 226,
                     *           "forward_strikes": 14,
                     *           "forward_method": "parity",
                     *           "legs": 226,
                     *           "legs_quoted": 2,
                     *           "legs_iv_solved": 2
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["StrategyAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol; UNKNOWN_CONTRACT: the expiry has no such strike */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"] | components["schemas"]["UnknownContractAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getMarketStatus: {
        parameters: {
            query?: {
                /**
                 * @description exchanges, separated by commas, in any case; all when left out
                 * @example NSE,MCX
                 */
                exchange?: string;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Trading phase of each exchange */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "exchange": "NFO",
                     *         "phase": "open",
                     *         "is_open": true,
                     *         "since": "2026-11-23T03:45:00.000Z",
                     *         "next_phase": "closed",
                     *         "next_change": "2026-11-23T10:10:00.000Z",
                     *         "holiday": "Guru Nanak Jayanti",
                     *         "feed": "live",
                     *         "exchanges": [
                     *           {
                     *             "exchange": "NFO",
                     *             "phase": "open",
                     *             "is_open": true,
                     *             "since": "2026-11-23T03:45:00.000Z",
                     *             "next_phase": "closed",
                     *             "next_change": "2026-11-23T10:10:00.000Z",
                     *             "holiday": "Guru Nanak Jayanti",
                     *             "feed": "live"
                     *           }
                     *         ],
                     *         "hours": "always",
                     *         "source": "simulated"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["MarketStatusAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getHistoricalData: {
        parameters: {
            query?: {
                /**
                 * @description first instant, or a day in India; left out: a span that suits the interval
                 * @example 2026-11-20T09:15:00+05:30
                 */
                from?: string;
                /**
                 * @description end, itself not included; now when left out
                 * @example 2026-11-23T15:30:00+05:30
                 */
                to?: string;
                /**
                 * @description length of a candle, by its short or its Kite name
                 * @example 5m
                 */
                interval?: components["schemas"]["IntervalOrAlias"];
                /**
                 * @description of a contract, with strike and option_type; left out: the underlying
                 * @example 2026-12-01
                 */
                expiry?: string;
                /**
                 * @description strike of a contract; with expiry and option_type
                 * @example 22700
                 */
                strike?: number;
                /**
                 * @description CE for a call, PE for a put
                 * @example CE
                 */
                option_type?: components["schemas"]["OptionType"];
                /**
                 * @description prices before a split in today's shares, or as they were traded
                 * @example true
                 */
                adjusted?: boolean;
                /**
                 * @description page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description rows on a page
                 * @example 500
                 */
                per_page?: number;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Candles of an underlying or of a contract */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "pagination": {
                     *           "page": 2,
                     *           "per_page": 500,
                     *           "total": 1204,
                     *           "pages": 3,
                     *           "next": 3,
                     *           "previous": 1
                     *         },
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbol": "NIFTY",
                     *         "interval": "5m",
                     *         "source": "simulated",
                     *         "from": "2026-11-18T04:30:00.001Z",
                     *         "to": "2026-11-23T04:30:00.001Z",
                     *         "adjusted": true,
                     *         "coverage": {
                     *           "finest": "1m",
                     *           "made_of": [
                     *             {
                     *               "from": "2026-11-20T03:45:00.000Z",
                     *               "to": "2026-11-20T09:59:00.000Z",
                     *               "width": "1m"
                     *             }
                     *           ]
                     *         },
                     *         "candles": [
                     *           {
                     *             "date": "2026-11-23T04:30:00.000Z",
                     *             "open": 22600,
                     *             "high": 22863,
                     *             "low": 22586.95,
                     *             "close": 22678.8,
                     *             "volume": 68581025,
                     *             "oi": 12251,
                     *             "closed": false
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HistoricalDataAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol; UNKNOWN_CONTRACT: the expiry has no such strike */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"] | components["schemas"]["UnknownContractAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getOhlcData: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This trading day and the one before */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbol": "NIFTY",
                     *         "current_day": {
                     *           "date": "2026-11-23",
                     *           "open": 22600,
                     *           "high": 22863,
                     *           "low": 22586.95,
                     *           "close": 22678.8,
                     *           "ltp": 22679.1,
                     *           "volume": 68581025
                     *         },
                     *         "previous_day": {
                     *           "date": "2026-11-23",
                     *           "open": 22600,
                     *           "high": 22863,
                     *           "low": 22586.95,
                     *           "close": 22678.8,
                     *           "ltp": 22679.1,
                     *           "volume": 68581025
                     *         },
                     *         "reference_price": 22600
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["OhlcDataAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["UNKNOWN_SYMBOL"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getDashboardHistory: {
        parameters: {
            query?: {
                /**
                 * @description first instant; left out: the beginning of the trading day
                 * @example 2026-11-20T09:15:00+05:30
                 */
                from?: string;
                /**
                 * @description end; left out: now
                 * @example 2026-11-23T15:30:00+05:30
                 */
                to?: string;
                /**
                 * @description expiry day; left out: the nearest
                 * @example 2026-12-01
                 */
                expiry?: string;
                /**
                 * @description one point for each interval, as it stood at its end
                 * @example 5m
                 */
                interval?: components["schemas"]["IntervalOrAlias"];
                /**
                 * @description page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description rows on a page
                 * @example 500
                 */
                per_page?: number;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Figures of an expiry through time */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "pagination": {
                     *           "page": 2,
                     *           "per_page": 500,
                     *           "total": 1204,
                     *           "pages": 3,
                     *           "next": 3,
                     *           "previous": 1
                     *         },
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "interval": "5m",
                     *         "source": "simulated",
                     *         "points": [
                     *           {
                     *             "date": "2026-11-23T04:30:00.000Z",
                     *             "spot_price": 22679.1,
                     *             "forward": 22736.34,
                     *             "pcr_oi": 0.8352,
                     *             "pcr_volume": 0.7564,
                     *             "max_pain": 22900,
                     *             "atm_iv": 11.64,
                     *             "straddle_price": 316.6,
                     *             "total_ce_oi": 522025,
                     *             "total_pe_oi": 435996,
                     *             "total_ce_oi_change": -1798,
                     *             "total_pe_oi_change": 3251,
                     *             "total_ce_volume": 337527,
                     *             "total_pe_volume": 255312,
                     *             "volatility_index": 12.82,
                     *             "near_month_iv": 11.94
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DashboardHistoryAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getOiHistory: {
        parameters: {
            query?: {
                /**
                 * @description first instant; left out: the beginning of the trading day
                 * @example 2026-11-20T09:15:00+05:30
                 */
                from?: string;
                /**
                 * @description end; left out: now
                 * @example 2026-11-23T15:30:00+05:30
                 */
                to?: string;
                /**
                 * @description expiry day; left out: the nearest
                 * @example 2026-12-01
                 */
                expiry?: string;
                /**
                 * @description one point for each interval, as it stood at its end
                 * @example 5m
                 */
                interval?: components["schemas"]["IntervalOrAlias"];
                /**
                 * @description 1 to 60: so many on each side of the money, 10 when left out; else strikes, separated by commas (one alone with a comma after it)
                 * @example 10
                 */
                strikes?: string;
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path: {
                /**
                 * @description symbol of the underlying, in any case
                 * @example NIFTY
                 */
                symbol: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Open interest per strike through time */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "symbol": "NIFTY",
                     *         "expiry": "2026-12-01",
                     *         "interval": "5m",
                     *         "source": "simulated",
                     *         "dates": [
                     *           "2026-11-23T04:00:00.000Z"
                     *         ],
                     *         "strikes": [
                     *           {
                     *             "strike_price": 22700,
                     *             "ce_oi": [
                     *               21385
                     *             ],
                     *             "pe_oi": [
                     *               30042
                     *             ],
                     *             "ce_oi_change": [
                     *               -1210
                     *             ],
                     *             "pe_oi_change": [
                     *               890
                     *             ]
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["OiHistoryAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol; UNKNOWN_CONTRACT: the expiry has no such strike */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"] | components["schemas"]["UnknownContractAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
            503: components["responses"]["FEED_UNAVAILABLE"];
        };
    };
    getReplay: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where a replay stands, and what it is to do */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "paused": false,
                     *         "speed": 60,
                     *         "at": "2026-11-23T05:00:00.000Z",
                     *         "start": "2026-11-23T03:45:00.000Z",
                     *         "end": "2026-11-23T10:10:00.000Z",
                     *         "loop": true,
                     *         "finished": false,
                     *         "epoch": "sim-2a-1a206ab0140"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ReplayAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["NOT_FOUND"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["CONFLICT"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    postReplay: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "action": "pause",
                 *       "at": "2026-11-23T10:30:00+05:30",
                 *       "speed": 60
                 *     }
                 */
                "application/json": components["schemas"]["ReplayRequest"];
            };
        };
        responses: {
            /** @description Where a replay stands, and what it is to do */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "paused": false,
                     *         "speed": 60,
                     *         "at": "2026-11-23T05:00:00.000Z",
                     *         "start": "2026-11-23T03:45:00.000Z",
                     *         "end": "2026-11-23T10:10:00.000Z",
                     *         "loop": true,
                     *         "finished": false,
                     *         "epoch": "sim-2a-1a206ab0140"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ReplayAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["NOT_FOUND"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["CONFLICT"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getSimulationScenario: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scenario of the simulated market */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "scenario": "calm",
                     *         "scenarios": [
                     *           "calm",
                     *           "trend_up",
                     *           "trend_down",
                     *           "crash",
                     *           "rally",
                     *           "vol_crush",
                     *           "expiry_day",
                     *           "gap_open",
                     *           "illiquid",
                     *           "circuit_halt"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SimulationScenarioAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["NOT_FOUND"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["CONFLICT"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    postSimulationScenario: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "scenario": "crash"
                 *     }
                 */
                "application/json": components["schemas"]["ScenarioRequest"];
            };
        };
        responses: {
            /** @description The scenario of the simulated market */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "scenario": "calm",
                     *         "scenarios": [
                     *           "calm",
                     *           "trend_up",
                     *           "trend_down",
                     *           "crash",
                     *           "rally",
                     *           "vol_crush",
                     *           "expiry_day",
                     *           "gap_open",
                     *           "illiquid",
                     *           "circuit_halt"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SimulationScenarioAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            404: components["responses"]["NOT_FOUND"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["CONFLICT"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getSimulationFaults: {
        parameters: {
            query?: {
                /**
                 * @description only those of this kind
                 * @example stall_feed
                 */
                kind?: components["schemas"]["FaultKind"];
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Faults on purpose */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "faults": [
                     *           {
                     *             "kind": "drop_sockets",
                     *             "since": "2026-11-23T04:30:00.000Z",
                     *             "until": "2026-11-23T04:30:10.000Z",
                     *             "symbol": "NIFTY",
                     *             "expiry": "2026-12-01",
                     *             "latency_ms": 800,
                     *             "socket": 1
                     *           }
                     *         ],
                     *         "kinds": [
                     *           "stall_feed"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SimulationFaultsAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    postSimulationFaults: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "kind": "stall_feed",
                 *       "seconds": 10,
                 *       "symbol": "NIFTY",
                 *       "expiry": "2026-12-01",
                 *       "latency_ms": 800,
                 *       "socket": 1
                 *     }
                 */
                "application/json": components["schemas"]["FaultRequest"];
            };
        };
        responses: {
            /** @description Faults on purpose */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "faults": [
                     *           {
                     *             "kind": "drop_sockets",
                     *             "since": "2026-11-23T04:30:00.000Z",
                     *             "until": "2026-11-23T04:30:10.000Z",
                     *             "symbol": "NIFTY",
                     *             "expiry": "2026-12-01",
                     *             "latency_ms": 800,
                     *             "socket": 1
                     *           }
                     *         ],
                     *         "kinds": [
                     *           "stall_feed"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SimulationFaultsAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked; UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotFoundAnswer"] | components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    deleteSimulationFaults: {
        parameters: {
            query?: {
                /**
                 * @description only those of this kind
                 * @example stall_feed
                 */
                kind?: components["schemas"]["FaultKind"];
            };
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Faults on purpose */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "faults": [
                     *           {
                     *             "kind": "drop_sockets",
                     *             "since": "2026-11-23T04:30:00.000Z",
                     *             "until": "2026-11-23T04:30:10.000Z",
                     *             "symbol": "NIFTY",
                     *             "expiry": "2026-12-01",
                     *             "latency_ms": 800,
                     *             "socket": 1
                     *           }
                     *         ],
                     *         "kinds": [
                     *           "stall_feed"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SimulationFaultsAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            /** @description NOT_FOUND: there is no such route, it is off, or nothing is recorded of what was asked; UNKNOWN_SYMBOL: a well-formed symbol that is not listed; UNKNOWN_EXPIRY: no such expiry, or no option at all, is listed on the symbol */
            404: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotFoundAnswer"] | components["schemas"]["UnknownSymbolAnswer"] | components["schemas"]["UnknownExpiryAnswer"];
                };
            };
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getWebsocketStats: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Connections, rooms and fan-out */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "success": true,
                     *       "message": "OK",
                     *       "timestamp": "2026-11-23T04:30:07.500Z",
                     *       "meta": {
                     *         "request_id": "8f6f0c2e9b1d4a57"
                     *       },
                     *       "data": {
                     *         "connections": {
                     *           "now": 12,
                     *           "peak": 40,
                     *           "total": 812,
                     *           "refused": 3,
                     *           "refused_by_code": {
                     *             "FORBIDDEN_ORIGIN": 3
                     *           }
                     *         },
                     *         "transports": {
                     *           "websocket": 11,
                     *           "polling": 1
                     *         },
                     *         "rooms": [
                     *           {
                     *             "stream": "chain:NIFTY:2026-12-01",
                     *             "epoch": "sim-2a-1a206ab0140",
                     *             "seq": 16,
                     *             "mode": "delta",
                     *             "strikes": 10,
                     *             "fields": "quotes",
                     *             "subscribers": 7
                     *           }
                     *         ],
                     *         "messages_out": 48211,
                     *         "bytes_out": 9120044,
                     *         "conflated": 37,
                     *         "resyncs": 1,
                     *         "slow_clients": 0,
                     *         "slow_disconnects": 0,
                     *         "closed_by_reason": {
                     *           "over_limit": 2
                     *         },
                     *         "unread_bytes": 0,
                     *         "fan_out_ms": {
                     *           "p50": 0.011,
                     *           "p99": 0.018
                     *         },
                     *         "loop_lag_ms": {
                     *           "p50": 0.011,
                     *           "p99": 0.018,
                     *           "max": 13.537
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["WebsocketStatsAnswer"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getOpenapiJson: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The routes, as OpenAPI 3.1 */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getAsyncapiJson: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events, as AsyncAPI 3.0 */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getDocs: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
                /**
                 * @description the ETag you hold: answered 304 while the state is the same
                 * @example "sim-2a-1a206ab0140-16-"
                 */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Routes and events on a page */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description the state is still the one you hold */
            304: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; any other is replaced
                 * @example 8f6f0c2e9b1d4a57
                 */
                "X-Request-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Figures for Prometheus */
            200: {
                headers: {
                    "X-Request-ID": components["headers"]["X-Request-ID"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            401: components["responses"]["UNAUTHORIZED"];
            403: components["responses"]["FORBIDDEN_ORIGIN"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["INTERNAL_ERROR"];
        };
    };
}

/** What the server sends, by event. */
export interface ServerEvents {
  connection_status: components["schemas"]["ConnectionStatus"];
  market_status: components["schemas"]["MarketStatus"];
  subscription_status: components["schemas"]["SubscriptionStatus"];
  symbol_update: components["schemas"]["SymbolSnapshot"] | components["schemas"]["SymbolDelta"];
  option_chain_data: components["schemas"]["ChainSnapshot"];
  option_chain_delta: components["schemas"]["ChainDelta"];
  option_chain_update: components["schemas"]["Chain"];
  dashboard_data: components["schemas"]["DashboardUpdate"];
  candle_update: components["schemas"]["CandleUpdate"];
  alert: components["schemas"]["Fired"];
  feed_status: components["schemas"]["FeedStatus"];
  pong: components["schemas"]["Pong"];
  error: components["schemas"]["ValidationErrorEvent"] | components["schemas"]["PayloadTooLargeEvent"] | components["schemas"]["RateLimitedEvent"] | components["schemas"]["InternalErrorEvent"] | components["schemas"]["UnknownSymbolEvent"] | components["schemas"]["FeedUnavailableEvent"] | components["schemas"]["UnknownExpiryEvent"] | components["schemas"]["UnknownContractEvent"] | components["schemas"]["UnauthorizedEvent"];
  server_shutdown: components["schemas"]["Shutdown"];
}

/** What a client sends, by event: payload and acknowledgement. */
export interface ClientEvents {
  subscribe_symbol: { payload: components["schemas"]["SymbolEvent"]; answer: components["schemas"]["SubscribeSymbolAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  unsubscribe_symbol: { payload: components["schemas"]["SymbolEvent"]; answer: components["schemas"]["UnsubscribeSymbolAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] };
  subscribe_option_chain: { payload: components["schemas"]["ChainSubscription"]; answer: components["schemas"]["SubscribeOptionChainAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  unsubscribe_option_chain: { payload: components["schemas"]["ChainEndEvent"]; answer: components["schemas"]["UnsubscribeOptionChainAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] };
  subscribe_dashboard: { payload: components["schemas"]["ChainEvent"]; answer: components["schemas"]["SubscribeDashboardAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  unsubscribe_dashboard: { payload: components["schemas"]["ChainEndEvent"]; answer: components["schemas"]["UnsubscribeDashboardAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] };
  subscribe_candles: { payload: components["schemas"]["CandleEvent"]; answer: components["schemas"]["SubscribeCandlesAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  unsubscribe_candles: { payload: components["schemas"]["CandleEvent"]; answer: components["schemas"]["UnsubscribeCandlesAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] };
  get_option_chain: { payload: components["schemas"]["ChainQueryEvent"]; answer: components["schemas"]["GetOptionChainAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  get_dashboard_data: { payload: components["schemas"]["ChainEvent"]; answer: components["schemas"]["GetDashboardDataAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  get_market_status: { payload: components["schemas"]["StatusEvent"]; answer: components["schemas"]["GetMarketStatusAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] };
  list_subscriptions: { payload: components["schemas"]["NoPayload"]; answer: components["schemas"]["ListSubscriptionsAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] };
  subscribe_alert: { payload: components["schemas"]["AlertEvent"]; answer: components["schemas"]["SubscribeAlertAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["UnknownContractRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  unsubscribe_alert: { payload: components["schemas"]["AlertEndEvent"]; answer: components["schemas"]["UnsubscribeAlertAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] };
  list_alerts: { payload: components["schemas"]["NoPayload"]; answer: components["schemas"]["ListAlertsAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] };
  resume: { payload: components["schemas"]["ResumeEvent"]; answer: components["schemas"]["ResumeAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] | components["schemas"]["UnknownSymbolRefusal"] | components["schemas"]["UnknownExpiryRefusal"] | components["schemas"]["FeedUnavailableRefusal"] };
  ping: { payload: unknown; answer: components["schemas"]["PingAnswer"] | components["schemas"]["ValidationErrorRefusal"] | components["schemas"]["PayloadTooLargeRefusal"] | components["schemas"]["RateLimitedRefusal"] | components["schemas"]["InternalErrorRefusal"] };
}
