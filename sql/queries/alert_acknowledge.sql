-- One row where there is such a condition and it is not over: somebody knows of it until then.
update alert set acknowledged_until = $2, acknowledged_by = $3, acknowledged_why = $4
where key = $1 and phase <> 'quiet'
returning class, severity, usd, quantity
