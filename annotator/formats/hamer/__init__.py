"""HaMeR's and WiLoR's formats: evaluation .npz files and training shards."""
