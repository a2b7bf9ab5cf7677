"""What `make bench` times: our work beside what one would write instead."""
