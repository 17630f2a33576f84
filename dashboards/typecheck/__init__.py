"""The dashboards as TypeScript, held against the types of panels that Grafana publishes."""
