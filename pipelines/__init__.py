"""When and with what: settings, the night, schedules, the command line. Wiring only."""
