"""Why an integrator returned, as integers; `reluquant.dynamics` turns them into sentences."""

CHUNK_DONE, REACHED_T_MAX, REACHED_LOSS, STATIONARY, EVENTS_FULL, TOO_MANY_SWITCHES, TIME_STALLED, NOT_FINITE = range(8)
