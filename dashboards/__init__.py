"""Grafana's dashboards and alert rules: in, the schema and the product's own settings; out, the files it provisions."""
