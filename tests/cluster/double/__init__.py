"""A double of Fluid's controllers: rules that do to a cluster what the real ones were seen to do.

Every rule is a pure function: the objects as they are and the time in, what to write out (`world.Step`). Two drivers
run them: `simulation.Simulation`, on a dictionary with a simulated clock, and `live.Live`, on a plane with a real one.
The rules know no recording; `test_double_transcripts.py` compares what they do with what Fluid was recorded to do.
"""
