"""The contract as documents: OpenAPI, AsyncAPI, and a page for people. Read `routes` first."""
