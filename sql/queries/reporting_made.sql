-- One row where `reporting` stands as these files make it.
select digest from reporting_made where digest = md5($1::text) and to_regnamespace('reporting') is not null
