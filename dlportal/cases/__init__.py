"""One module a case; its class is named by the module's `CASE`."""
