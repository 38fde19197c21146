-- One row per condition that is not over, what matters most first; or, where all are asked for, per condition.
select * from reporting.alert where $1 or phase <> 'quiet'
order by (phase = 'quiet'), array_position(array['critical', 'warning', 'info'], severity), since_at, alert_key
