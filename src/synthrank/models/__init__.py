"""Pretrained models: from where ``config/models`` says, into folders of safetensors."""
