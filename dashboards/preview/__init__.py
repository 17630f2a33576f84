"""Pictures of the dashboards, drawn from a real InfluxDB by Grafana's own published components."""
