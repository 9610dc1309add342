# Writes everything by einsum and broadcasting, and is fond of one line; slips are swapped or missing subscripts.

# %% linear_forward
def linear_forward(D, W):
    return np.einsum("iq,jq->ij", D, W)

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return np.einsum("ik,jl->ijkl", D, np.eye(W.shape[1])), np.einsum("ik,jl->ijkl", np.eye(len(D)), W)

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return np.einsum("ij,jl->il", B, W), np.einsum("ik,ij->kj", D, B)

# %% linear_backward_proof [markdown]
# $\partial E/\partial W_{kl} = B_{ij} D_{ik} \delta_{jl} = B_{il} D_{ik} = (D^\top)_{ki} B_{il} = (D^\top B)_{kl}$, and
# $\partial E/\partial D_{kl} = B_{ij} \delta_{ik} W_{lj} = B_{kj} (W^\top)_{jl} = (B W^\top)_{kl}$. I sum over every index that stands twice.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    return D + np.einsum("i,j->ij", np.ones(len(D)), b)

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    return B, np.einsum("ik->i", B)

# %% bias_proof [markdown]
# $\partial E/\partial D_{kl} = B_{ij} \delta_{ik} \delta_{jl} = B_{kl}$ and $\partial E/\partial b_k = B_{ij} \delta_{jk} = B_{ik}$.
# I sum over every index that stands twice.

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    powers = np.exp(D - D.max(axis=1, keepdims=True))
    return np.einsum("ij,i->ij", powers, 1 / np.einsum("ij->i", powers))

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    return np.einsum("ij,jk->ik", B, A * (1 - A))

# %% sigmoid_proof [markdown]
# $\sigma' = e^{-t}/(1+e^{-t})^2 = \sigma \cdot e^{-t}/(1+e^{-t}) = \sigma (1 - \sigma)$.
# With $\partial A_{ij}/\partial D_{kl} = \sigma'(D_{ij}) \delta_{ik} \delta_{jl}$ the sum over $i, j$ leaves $B_{kl} A_{kl} (1 - A_{kl})$.
