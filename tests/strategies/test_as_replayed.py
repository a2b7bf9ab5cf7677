"""Settings of the model that replays rules, for the laws of all models; its own tests are in
tests/parameters/test_in_force.py."""

CONTRACT = {
    "as_replayed": [{"base": {"kind": "haircut_only"}}, {"base": {"kind": "simm"}}],
}
