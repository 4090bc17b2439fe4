import { MarketProvider } from "indian-options-client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app.tsx";
import "./style.css";

// behind a proxy's prefix the server is where this page is
const base = new URL("./", location.href.split("?")[0]).pathname.replace(/\/$/, "");
const token = sessionStorage.getItem("key") ?? undefined;

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <MarketProvider url={location.origin} path={`${base}/socket.io/`} base={base} {...(token ? { token } : {})}>
      <App />
    </MarketProvider>
  </StrictMode>,
);
