"""The Hugging Face Hub: loading an account's models, publishing models and the Space, and their cards."""
