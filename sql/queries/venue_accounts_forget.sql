-- No row: whichever account is met next at a venue is taken as the one there.
update venue set account = null
