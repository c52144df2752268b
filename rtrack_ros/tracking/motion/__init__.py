"""How camera and boxes move: optical flow, the Kalman filter, the width model."""
