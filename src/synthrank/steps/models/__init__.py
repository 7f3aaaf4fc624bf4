"""Stage models: convert the pretrained models of ``config/models`` to folders of safetensors."""
