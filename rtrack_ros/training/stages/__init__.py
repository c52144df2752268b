"""Stages of learning on TRL: supervised and reinforcement, each from folder to folder."""
